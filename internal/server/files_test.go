package server

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// slowFile is a file of spaces that tells when it is first read, and then waits.
type slowFile struct {
	left    int
	reading chan<- struct{}
	goOn    <-chan struct{}
	once    sync.Once
}

func (s *slowFile) Read(b []byte) (int, error) {
	s.once.Do(func() {
		s.reading <- struct{}{}
		<-s.goOn
	})
	n := min(len(b), s.left)
	clear(b[:n])
	if s.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// S-043: however many large files come at once, few are held in memory; the others are told
// to come again, small ones and those of another office go on, and all is given back.
func TestFilesAtOnce(t *testing.T) {
	f := newFixture(t)
	const asked = 12
	reading, goOn, ended := make(chan struct{}, asked), make(chan struct{}), make(chan *httptest.ResponseRecorder, asked)
	send := func(session string, size int) {
		req := httptest.NewRequest(http.MethodPost, prefix+"/imports/records", &slowFile{left: size, reading: reading, goOn: goOn})
		req.ContentLength = int64(size)
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
		req.Header.Set("Content-Type", "text/csv")
		rec := httptest.NewRecorder()
		f.Staff().ServeHTTP(rec, req)
		ended <- rec
	}
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	for range asked {
		go send(f.clerk, maxImport)
	}
	held := 0
	for range asked {
		select {
		case <-reading:
			held++
		case rec := <-ended:
			f.want(t, reply{status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}, http.StatusServiceUnavailable, "files_busy")
			if rec.Header().Get("Retry-After") == "" {
				t.Error("error/no Retry-After")
			}
		}
	}
	if held != 2 {
		t.Fatalf("error/%d of %d are held", held, asked)
	}
	go send(f.foreign, maxImport)
	<-reading // of another office
	go send(f.clerk, 1000)
	<-reading
	close(goOn)
	for range 4 {
		if rec := <-ended; rec.Code == http.StatusServiceUnavailable {
			t.Errorf("error/%d %s", rec.Code, rec.Body)
		}
	}
	runtime.ReadMemStats(&during)
	if took := during.HeapSys - min(before.HeapSys, during.HeapSys); took > 6*filesAtOnce {
		t.Errorf("error/%d MiB of memory", took>>20)
	}
	if f.arriving.taken != 0 || len(f.arriving.of) != 0 {
		t.Errorf("error/not given back: %d %v", f.arriving.taken, f.arriving.of)
	}
	for id, n := range holds {
		if n > filesOfOffice {
			t.Errorf("error/%s can never be", id)
		}
		if !slices.ContainsFunc(f.routes(), func(r *route) bool { return cmp.Or(r.logged, r.id) == id }) {
			t.Errorf("error/%s is no operation", id)
		}
	}
}
