package hcert

import (
	"bytes"
	"compress/zlib"
	"io"
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

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
