package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/custody"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// rotating is what a child process is told: the database and the file key.
type rotating struct{ URL, MigrateURL, Key string }

const rotatingName = "AKASHI_TEST_ROTATING"

// rotateForever changes one data key after the other, a row at a time, until the
// process is killed.
func rotateForever(t *testing.T, told string) {
	var r rotating
	if err := json.Unmarshal([]byte(told), &r); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.OpenFile(r.Key, false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: r.URL, MigrateURL: r.MigrateURL, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	granted := approvals{}
	c := &custody.Service{
		Log: &audit.Log{Book: s}, Store: s, Approvals: granted, Settle: func(context.Context) error { return nil }, Batch: 1,
	}
	fmt.Println("\nready")
	for {
		for _, p := range custody.Rotating() {
			granted["numbers.rekey "+string(p)]++
			if _, err := c.Rotate(t.Context(), who(here), p); err != nil {
				fmt.Println("\nfailed", p, err)
				os.Exit(3)
			}
		}
	}
}

// S-074: a process is killed at random points of rotations; everybody is found and
// opened after each kill, by a process that knows nothing, and the next one goes
// on. AKASHI_TORTURE=full kills 200 times.
func TestRotateKilled(t *testing.T) {
	if told := os.Getenv(rotatingName); told != "" {
		rotateForever(t, told)
	}
	kills := 6
	if os.Getenv("AKASHI_TORTURE") == "full" {
		kills = 200
	}
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		f.bring(t, vaccination.Subjects, numbered(t, canaries(t)))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		told, err := json.Marshal(rotating{f.config.URL, f.config.MigrateURL, path})
		if err != nil {
			t.Fatal(err)
		}
		random := mrand.New(mrand.NewPCG(74, uint64(kills)))
		halfway := 0
		for n := range kills {
			child := exec.Command(os.Args[0], "-test.run", "^TestRotateKilled$")
			child.Env = append(os.Environ(), rotatingName+"="+string(told))
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			ready, said := false, []string{}
			for lines := bufio.NewScanner(out); !ready && lines.Scan(); {
				ready, said = lines.Text() == "ready", append(said, lines.Text())
			}
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
			_ = child.Process.Kill()
			_ = child.Wait()
			if code := child.ProcessState.ExitCode(); !ready || code != -1 {
				t.Fatalf("kill %d: the process ended by itself: %d %q", n, code, said)
			}
			if err := f.Close(); err != nil { // or the restarts use up the server's connections
				t.Fatal(err)
			}
			f.restart(t, path)
			f.whole(t, fmt.Sprintf("kill %d", n))
			keys, err := f.DataKeys(t.Context(), here)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if k.State == seal.Next || k.State == seal.Old {
					halfway++
					break
				}
			}
		}
		if halfway == 0 {
			t.Errorf("none of %d kills met a rotation", kills)
		}
		if _, err := f.custody(t, nil).Resume(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		f.restart(t, path)
		f.whole(t, "ok/resumed")
		for i, number := range canaries(t)[:12] {
			if _, err := f.holder(t, number); err != nil {
				t.Errorf("ok/number %d: %v", i, err)
			}
		}
		for p, columns := range sealedColumns {
			for _, c := range columns {
				if heads := f.heads(t, c.table, c.column); len(heads) > 1 {
					t.Errorf("ok/%s.%s is sealed by %v", c.table, c.column, heads)
				}
			}
			for _, k := range f.dataKeys(t, p) {
				if k.State != seal.Active && k.State != seal.Retired {
					t.Errorf("ok/%s version %d is %s", p, k.Version, k.State)
				}
			}
		}
	})
}
