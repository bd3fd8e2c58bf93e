package server

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// stranger takes published files, and keeps each as long as its answer allows.
type stranger struct {
	f    *fixture
	kept time.Duration // the longest
}

var maxAge = regexp.MustCompile(`^public, max-age=([0-9]+)$`)

func (s *stranger) get(t *testing.T, path string) []byte {
	t.Helper()
	r := ask(s.f.Public(), "", http.MethodGet, path, "", nil)
	s.f.want(t, r, 200, "")
	if m := maxAge.FindStringSubmatch(r.header.Get("Cache-Control")); m != nil {
		seconds, _ := strconv.Atoi(m[1])
		s.kept = max(s.kept, time.Duration(seconds)*time.Second)
	}
	return r.body
}

// status is the status list of the trust directory that covers a key.
func (s *stranger) status(t *testing.T, key string) *trust.StatusList {
	t.Helper()
	files := fstest.MapFS{"manifest.json": {Data: s.get(t, prefix+"/trust/manifest.json")}}
	for _, m := range publishedNames.FindAllStringSubmatch(string(files["manifest.json"].Data), -1) {
		files[m[1]] = &fstest.MapFile{Data: s.get(t, prefix+"/trust/"+m[1])}
	}
	b, _, err := trust.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return b.Status(key)
}

// lists are the published lists that can name a code, each with whether it does.
func (s *stranger) lists(t *testing.T, i issuance.Issue, p issuance.Payload) map[string]bool {
	t.Helper()
	id := cmp.Or(p.StatusID, i.Certificate.ID)
	on := map[string]bool{"status": s.status(t, p.KeyID).Why(p.Family, id) == trust.Revoked}
	switch p.Family {
	case certificate.SHC:
		list, err := trust.ParseCardList(s.get(t, "/.well-known/crl/"+p.KeyID+".json"))
		on["cards"] = err == nil && list.Lists(p.StatusID, time.Now())
	case certificate.DCC:
		s.withdrawn(t, hcert.UVCI("UT", i.Certificate.ID, p.Dose), on)
	}
	return on
}

// withdrawn are the three forms for EU certificates, by their index.
func (s *stranger) withdrawn(t *testing.T, id string, on map[string]bool) {
	t.Helper()
	on["batches"], on["filter"], on["hashes"] = false, false, false
	var index []struct{ Batches, Filter, Hashes string }
	if err := json.Unmarshal(s.get(t, "/.well-known/dcc/index.json"), &index); err != nil {
		t.Fatal(err)
	}
	mark := hcert.IDMark(id)
	for _, line := range index {
		var batches []json.RawMessage
		if err := json.Unmarshal(s.get(t, "/.well-known/dcc/"+line.Batches), &batches); err != nil {
			t.Fatal(err)
		}
		for _, text := range batches {
			b, err := hcert.ParseBatch(text)
			on["batches"] = on["batches"] || err == nil && b.Has(mark)
		}
		filter, err := hcert.ParseFilter(s.get(t, "/.well-known/dcc/"+line.Filter))
		on["filter"] = on["filter"] || err == nil && filter.Has(mark)
		hashes, err := hcert.ParseHashList(s.get(t, "/.well-known/dcc/"+line.Hashes))
		on["hashes"] = on["hashes"] || err == nil && hashes.Has(mark)
	}
}

// Issue 5, section 4; S-069: by the clock of the service, what is revoked stands within 15
// minutes on every published list that can name it, of each family, even where the job has
// just run, the public face has just read, and a stranger's cache has just been filled.
func TestRevokedInTime(t *testing.T) {
	now := time.Now()
	f := newFixture(t, func(s *Services) { s.Clock = func() time.Time { return now } })
	f.Lists.Clock = func() time.Time { return now }
	f.BringInternational(t)
	f.SetOffice(t, func(s *office.Settings) { s.EU = true })
	var ended []issuance.Issue
	for _, kind := range []certificate.Kind{certificate.Travel, certificate.International} {
		i, _, err := f.World.Issuance.Issue(t.Context(), f.Clerk, f.Approved(t, kind))
		if err != nil {
			t.Fatal(err)
		}
		ended = append(ended, i)
	}
	round := func() cli.Job {
		for _, j := range f.Jobs() {
			if j.Name == "lists" {
				if err := j.Run(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
				return j
			}
		}
		t.Fatal("no job")
		return cli.Job{}
	}
	every := round().Every
	want := map[certificate.Family]int{certificate.SHC: 2, certificate.VDSNC: 1, certificate.DCC: 4, certificate.ICVP: 1}
	s := &stranger{f: f}
	named := func() (on, all int) {
		for _, i := range ended {
			for _, p := range i.Payloads {
				lists := s.lists(t, i, p)
				if len(lists) != want[p.Family] {
					t.Errorf("%s: lists %v", p.Family, lists)
				}
				for _, is := range lists {
					all++
					if is {
						on++
					}
				}
			}
		}
		return on, all
	}
	if on, all := named(); on != 0 || all != 8 {
		t.Fatalf("error/nothing is revoked yet: on %d of %d", on, all)
	}
	revoked := now
	for _, i := range ended {
		f.want(t, f.do(f.officer, "POST", certificatePath(i.Certificate.ID, "/revoke"), `{"reason":"wrong_content"}`), 200, "")
	}
	for {
		now = now.Add(every)
		round()
		now = now.Add(publishedAge + s.kept)
		took := now.Sub(revoked)
		on, all := named()
		if on == all {
			t.Logf("on all %d after %s", all, took)
			if took > 15*time.Minute || s.kept == 0 {
				t.Errorf("error/after %s, of which a cache %s", took, s.kept)
			}
			return
		}
		if took > time.Hour {
			t.Fatalf("error/on %d of %d lists after %s", on, all, took)
		}
	}
}
