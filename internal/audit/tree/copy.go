package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"akashi/internal/merkle"
)

// Folder is a second place for checkpoints: a directory that others run and
// this service can only write to. Each checkpoint is a file of its own, in a
// folder of its month, and is never touched again.
type Folder string

const fileForm = "20060102T150405.000Z"

// Keep writes a checkpoint, whole and flushed, or not at all.
func (f Folder) Keep(c merkle.Checkpoint, text string) (err error) {
	at := c.Time.UTC()
	month := filepath.Join(string(f), folderOf(c.Origin), at.Format("2006-01"))
	if _, err := os.Stat(string(f)); err != nil { // a mount that is gone is not to be made up for
		return fmt.Errorf("tree: second place: %w", err)
	}
	if err := os.MkdirAll(month, 0o755); err != nil {
		return fmt.Errorf("tree: second place: %w", err)
	}
	file, err := os.CreateTemp(month, ".new-*")
	if err != nil {
		return fmt.Errorf("tree: second place: %w", err)
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(month, fmt.Sprintf("%s-%d", at.Format(fileForm), c.Size)))
	}
	if err == nil {
		err = syncFolder(month)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("tree: second place: %w", err)
	}
	return nil
}

// syncFolder makes a rename durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// folderOf makes a plain folder name of an origin.
func folderOf(origin string) string { return strings.ReplaceAll(origin, "/", "_") }

// Of is the part of the second place that belongs to one log.
func (f Folder) Of(origin string) OneFolder {
	return OneFolder{f, filepath.Join(string(f), folderOf(origin))}
}

// OneFolder holds the checkpoints of one log.
type OneFolder struct {
	Folder
	path string
}

// Last returns the newest checkpoint; empty if there is none.
func (o OneFolder) Last() (string, error) {
	months, err := names(o.path)
	for _, month := range slices.Backward(months) {
		files, err := names(filepath.Join(o.path, month))
		if err != nil {
			return "", err
		}
		if len(files) > 0 {
			b, err := os.ReadFile(filepath.Join(o.path, month, files[len(files)-1]))
			return string(b), err
		}
	}
	return "", err
}

// All returns all checkpoints, oldest first.
func (o OneFolder) All() (texts []string, err error) {
	months, err := names(o.path)
	for _, month := range months {
		files, err := names(filepath.Join(o.path, month))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			b, err := os.ReadFile(filepath.Join(o.path, month, name))
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(b))
		}
	}
	return texts, err
}

// names lists a folder in order, without what was not finished.
func names(path string) (list []string, err error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			list = append(list, e.Name())
		}
	}
	return list, err
}
