package server

import (
	"path/filepath"
	"testing"

	"akashi/certificate"
	"akashi/internal/issuance"
	"akashi/signing"
)

// Issue 5, section 5: while as many certificates wait for the keys as may wait, the next
// is answered 503 with a time to come back, and nothing was prepared of it that recovery
// would have to end. When there is room again, the same request makes one certificate.
func TestSignersBusy(t *testing.T) {
	f := newFixture(t)
	dir := filepath.Join(f.Config.Data, "keys")
	keys, err := signing.MakeTestIdentity(dir, f.World.Clock.Now()) // as they are
	if err != nil {
		t.Fatal(err)
	}
	files, err := signing.OpenFiles(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	signer := signing.NewSigner(signing.NewQueue(files, 1, 1), f.Store, f.Store.SigningKey, f.World.Clock)
	f.World.Issuance.Signer = signer
	replaced := f.issued(t, certificate.Domestic)
	applications := []string{f.approved(t, certificate.Travel), f.approved(t, certificate.Domestic)}
	_, one, err1 := signer.Reserve(t.Context())
	_, other, err2 := signer.Reserve(t.Context())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	issue := func(id string) reply {
		return f.do(f.clerk, "POST", "/applications/"+id+"/certificate", "")
	}
	reissue := func() reply {
		return f.do(f.officer, "POST", "/certificates/"+replaced+"/reissue", `{"reason":"correction"}`)
	}
	ask := append([]func() reply{reissue}, func() reply { return issue(applications[0]) }, func() reply { return issue(applications[1]) })
	for range 2 {
		for _, once := range ask {
			r := once()
			f.want(t, r, 503, "signing_busy")
			if r.header.Get("Retry-After") == "" {
				t.Error("error/busy: no Retry-After")
			}
		}
	}
	all := func() []issuance.Issue {
		list, err := f.World.Issuance.List(t.Context(), f.Clerk, issuance.Filter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := all(); len(list) != 1 || list[0].Certificate.ID != replaced {
		t.Errorf("error/busy: %d certificates", len(list))
	}
	if r, err := f.World.Issuance.Recover(t.Context(), 0); err != nil || r != (issuance.Recovery{}) {
		t.Errorf("error/busy: left to recovery %+v %v", r, err)
	}
	one()
	for _, once := range ask {
		f.want(t, once(), 201, "")
	}
	other()
	for i, again := range []int{409, 200, 200} {
		if r := ask[i](); r.status != again {
			t.Errorf("ok/again: %d, want %d", r.status, again)
		}
	}
	states := map[issuance.State]int{}
	for _, i := range all() {
		states[i.State]++
	}
	if states[issuance.Issued] != 3 || states[issuance.Superseded] != 1 || len(states) != 2 {
		t.Errorf("ok/room again: %v", states)
	}
}
