package hcert

import (
	"bytes"
	"compress/zlib"
	"io"
	"sync"
)

// inflate reads one zlib stream (RFC 1950) that ends with b. It never inflates more than
// one byte beyond the limits of size and ratio (S-040).
func inflate(b []byte) ([]byte, error) {
	in := bytes.NewReader(b)
	stream, err := zlib.NewReader(in)
	if err != nil {
		return nil, fail(StepInflate, "not_zlib", "")
	}
	defer stream.Close()
	limit := min(maxInflated, maxRatio*len(b))
	out, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	switch {
	case len(out) > limit:
		return nil, fail(StepInflate, "too_large", "")
	case err != nil:
		return nil, fail(StepInflate, "damaged", "")
	case in.Len() > 0:
		return nil, fail(StepInflate, "bytes_after_the_end", "")
	}
	return out, nil
}

// writers are kept, as a new one costs 0.8 MB.
var writers = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := writers.Get().(*zlib.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
