package store

import (
	"errors"
	"path/filepath"
	"testing"

	"gorm.io/gorm"

	"akashi/internal/fault"
	"akashi/internal/seal"
)

// S-061: where SQLite undoes the whole group in the middle, as it does for want of
// room on the disk, no act of the group is said to be done.
func TestGroupUndone(t *testing.T) {
	ring, err := seal.OpenFile(filepath.Join(t.TempDir(), "seal.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{URL: filepath.Join(t.TempDir(), "a.db"), Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	put := func(name string) func(*gorm.DB) error {
		return func(db *gorm.DB) error { return db.Create(&installationRow{name, []byte{1}}).Error }
	}
	undone := func(db *gorm.DB) error { return errors.Join(db.Exec("ROLLBACK").Error, errors.New("no room")) }
	var group []job
	for _, run := range []func(*gorm.DB) error{put("before"), undone, put("after")} {
		group = append(group, job{run, make(chan error, 1)})
	}
	s.writeGroup(group)
	for i, j := range group {
		if err := <-j.done; i != 1 && fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("error/act %d: %v", i, err)
		}
	}
	var kept int64
	if err := s.read.Model(&installationRow{}).Where("name IN ('before', 'after')").Count(&kept).Error; err != nil || kept != 0 {
		t.Errorf("error/rows: %d kept, %v", kept, err)
	}
}
