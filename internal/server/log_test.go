package server

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"akashi/internal/actor"
	"akashi/internal/fault"
)

// concrete fills the parameters of a path.
func concrete(path string) string {
	return strings.NewReplacer("{id}", "01990000-0000-7000-8000-000000000000", "{number}", "1").Replace(path)
}

// S-086: while the log has no fresh checkpoint nothing personal is done, with a
// key that says why; verifying and the keys go on.
func TestHalted(t *testing.T) {
	halted := fault.New(fault.Unavailable, "log_checkpoint_late", "")
	f := newFixture(t, func(s *Services) { s.Halted = func(context.Context) error { return halted } })
	for _, r := range f.routes() {
		if r.permission == anyone || r.purpose == actor.Verify || r.purpose == actor.Audit {
			continue
		}
		if got := ask(f.Staff(), f.officer, r.method, concrete(r.path), "", nil); got.status != http.StatusServiceUnavailable || got.code() != halted.Key {
			t.Errorf("error/%s: %d %s", r.id, got.status, got.body)
		}
	}
	if got := ask(f.Staff(), f.officer, http.MethodPost, prefix+"/verify", "text/plain", []byte("x")); got.status != http.StatusOK {
		t.Errorf("ok/verify: %d %s", got.status, got.body)
	}
	if got := ask(f.Public(), "", http.MethodGet, "/.well-known/jwks.json", "", nil); got.status != http.StatusOK {
		t.Errorf("ok/keys: %d %s", got.status, got.body)
	}
}
