package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"akashi/internal/topology"
)

// L-02: no more processes than were declared, each shown with build and
// configuration; a slot is free when its process has gone, however it went.
func TestNodes(t *testing.T) {
	on(t, databases()[1:], func(t *testing.T, f *fixture) {
		join := func(s *Store, build string, declared int) (func() error, error) {
			return s.Join(t.Context(), topology.Node{Faces: "staff", Build: build, Configuration: "c", Started: f.now}, declared)
		}
		first, err := join(f.Store, "a", 2)
		if err != nil {
			t.Fatal(err)
		}
		other, err := Open(t.Context(), f.config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := join(other, "b", 2); err != nil {
			t.Fatal(err)
		}
		if _, err := join(f.Store, "c", 2); !errors.Is(err, ErrTooManyNodes) {
			t.Errorf("error/a third of two: %v", err)
		}
		if list, err := f.Nodes(t.Context()); err != nil || len(list) != 2 || list[0].Build != "a" || list[1].Build != "b" || !list[0].Started.Equal(f.now) {
			t.Errorf("ok/shown: %+v %v", list, err)
		}
		if err := first(); err != nil {
			t.Fatal(err)
		}
		if list, err := f.Nodes(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("ok/one has left: %+v %v", list, err)
		}
		if _, err := join(f.Store, "d", 2); err != nil {
			t.Errorf("ok/its slot is free: %v", err)
		}
		if _, err := join(f.Store, "e", 0); err != nil {
			t.Errorf("ok/not declared: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	on(t, databases()[:1], func(t *testing.T, f *fixture) {
		leave, err := f.Join(t.Context(), topology.Node{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		other, err := Open(t.Context(), f.config) // as a command does
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		if _, err := other.Join(t.Context(), topology.Node{}, 0); !errors.Is(err, ErrServed) {
			t.Errorf("error/a second server on SQLite: %v", err)
		}
		if err := leave(); err != nil {
			t.Fatal(err)
		}
		if leave, err := other.Join(t.Context(), topology.Node{}, 0); err != nil || leave() != nil {
			t.Errorf("ok/the first has left: %v", err)
		}
	})
}

// The file of a SQLite database, and those beside it, are for their owner's eyes,
// whatever the process's umask and however they were made.
func TestPrivateFiles(t *testing.T) {
	on(t, databases()[:1], func(t *testing.T, f *fixture) {
		check := func(when string) {
			list, err := filepath.Glob(f.config.URL + "*")
			if err != nil || len(list) < 3 {
				t.Fatalf("%s: %v %v", when, list, err)
			}
			for _, name := range list {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %s %v %v", when, filepath.Base(name), info.Mode(), err)
				}
			}
		}
		check("ok/new")
		if err := errors.Join(os.Chmod(f.config.URL, 0o644), os.Chmod(f.config.URL+"-wal", 0o644)); err != nil {
			t.Fatal(err)
		}
		other, err := Open(t.Context(), f.config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		check("ok/of before")
	})
}
