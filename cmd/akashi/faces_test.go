package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"akashi/internal/testkit"
	"akashi/signing"
)

// S-001, S-002: each face as a process of its own with a database role of its
// own. The public process has neither the file key nor a private key, and its
// role can read the published keys and nothing else; still it verifies what the
// staff process has issued.
func TestSeparateProcesses(t *testing.T) {
	d := testkit.Postgres(t)
	data, bare := t.TempDir(), t.TempDir()
	staff := startFaces(t, data, 2, []string{"--faces", "staff,ops"},
		"AKASHI_DATABASE_URL="+d.StaffURL, "AKASHI_MIGRATE_URL="+d.OwnerURL, "AKASHI_DATABASE_URL_SIGNER="+d.SignerURL, "AKASHI_NODES=2")
	list, err := os.ReadFile(filepath.Join(data, "keys", signing.CRLFile))
	if err == nil {
		err = os.Mkdir(filepath.Join(bare, "keys"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(bare, "keys", signing.CRLFile), list, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	public := startFaces(t, bare, 2, []string{"--faces", "public,ops"}, "AKASHI_DATABASE_URL="+d.PublicURL)
	jobs := startFaces(t, data, 1, []string{"--faces", "jobs,ops"}, "AKASHI_DATABASE_URL="+d.JobsURL, "AKASHI_DATABASE_URL_SIGNER="+d.SignerURL, "AKASHI_NODES=2")
	third := exec.Command(os.Args[0], "serve", "--faces", "jobs")
	third.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+data, "AKASHI_DATABASE_URL="+d.JobsURL, "AKASHI_NODES=2")
	if out, err := third.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("AKASHI_NODES")) {
		t.Errorf("a third of two processes: %v %s", err, out)
	}

	clerk, officer := officers(t, staff)
	base := staff.faces["staff"]
	bring(t, base, clerk, officer)
	id := approved(t, base, clerk)
	status, certificate, raw := call(t, "POST", base+"/api/v1/applications/"+id+"/certificate", clerk, "", nil)
	if status != 201 {
		t.Fatalf("certificate: %d %s", status, raw)
	}
	_, _, card := call(t, "GET", base+"/api/v1/certificates/"+certificate["id"].(string)+"/card", clerk, "", nil)
	status, _, verdict := call(t, "POST", public.faces["public"]+"/api/v1/verify", "", "application/smart-health-card", card)
	if status != 200 || !bytes.Contains(verdict, []byte(`"outcome":"valid"`)) {
		t.Errorf("verify: %d %s", status, verdict)
	}
	if status, _, raw := call(t, "GET", public.faces["public"]+"/.well-known/jwks.json", "", "", nil); status != 200 || bytes.Contains(raw, []byte(`"d"`)) {
		t.Errorf("jwks: %d %s", status, raw)
	}
	for name, p := range map[string]*process{"staff": staff, "public": public, "jobs": jobs} {
		if status, _, raw := call(t, "GET", p.faces["ops"]+"/readyz", "", "", nil); status != 200 {
			t.Errorf("%s is not ready: %d %s", name, status, raw)
		}
		for face, url := range p.faces {
			for _, path := range []string{"/.env", "/.git/config", "/debug/pprof", "/api/v1/certificates/" + certificate["id"].(string)} { // L-15
				want := 404
				if face == "staff" && strings.HasPrefix(path, "/api") {
					want = 200
				}
				if status, _, _ := call(t, "GET", url+path, clerk, "", nil); status != want {
					t.Errorf("%s, %s%s: %d, want %d", name, face, path, status, want)
				}
			}
		}
	}
	for name, want := range map[string]int{"staff": 2, "jobs": 2, "public": 1} { // L-02: the public role knows itself only
		p := map[string]*process{"staff": staff, "jobs": jobs, "public": public}[name]
		_, answer, raw := call(t, "GET", p.faces["ops"]+"/nodes", "", "", nil)
		if list, _ := answer["nodes"].([]any); len(list) != want || !bytes.Contains(raw, []byte(`"configuration":"`)) {
			t.Errorf("%s shows %s", name, raw)
		}
	}
	if files := filesIn(t, bare); !slices.Equal(files, []string{"keys/" + signing.CRLFile}) {
		t.Errorf("the public process has files of its own: %v", files)
	}
	for name, p := range map[string]*process{"staff": staff, "public": public, "jobs": jobs} {
		if status := p.stop(t); status != 0 {
			t.Errorf("%s stopped with %d: %s", name, status, p.log)
		}
		if strings.Contains(p.log.String(), `"level":"ERROR"`) || strings.Contains(p.log.String(), "production would refuse") {
			t.Errorf("%s complains: %s", name, p.log)
		}
	}
}

func filesIn(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
