package trust

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"akashi/internal/strictjson"
)

const (
	manifestFile    = "manifest.json"
	manifestVersion = 1
)

// manifest names the files of a trust directory (design 3.8). Paths are relative to
// the directory, with slashes.
type manifest struct {
	Version int              `json:"version"`
	MadeAt  time.Time        `json:"made_at"`
	Issuers []manifestIssuer `json:"issuers"`
	CSCA    []string         `json:"csca"` // given one by one
	Masters []manifestMaster `json:"master_lists,omitempty"`
	DSC     []string         `json:"dsc"`
	CRL     []string         `json:"crl"`
	Status  []manifestStatus `json:"status"`
	Logs    []manifestLog    `json:"issuance_logs,omitempty"`
	Health  []manifestHealth `json:"health,omitempty"`
	Parts   []string         `json:"parts,omitempty"` // folders, each a trust directory of its own date
}

// manifestMaster is what a master list has brought.
type manifestMaster struct {
	Source string    `json:"source"`
	MadeAt time.Time `json:"made_at"`
	CSCA   []string  `json:"csca"`
}

// manifestLog is an issuance log. Covers names, by thumbprint, the keys that sign
// nothing that is not in it.
type manifestLog struct {
	Key        string   `json:"key"`
	Checkpoint string   `json:"checkpoint"` // file
	Digests    string   `json:"digests"`    // file: all buckets
	Covers     []string `json:"covers"`
}

// manifestStatus is a status list. Covers names, by thumbprint, the keys whose
// ended codes are all in it.
type manifestStatus struct {
	Key    string   `json:"key"`
	Head   string   `json:"head"`  // file
	Marks  string   `json:"marks"` // file
	Covers []string `json:"covers"`
}

type manifestIssuer struct {
	Issuer string   `json:"iss"`
	JWKS   string   `json:"jwks"`           // file; two issuers may share one
	CRLs   []string `json:"crls,omitempty"` // files: revocation lists of its keys
}

func readManifest(fsys fs.FS, name string) (m manifest, err error) {
	b, err := readLimited(fsys, name, maxManifest)
	if err != nil {
		return m, fmt.Errorf("trust: %w", err)
	}
	return parseManifest(b)
}

func parseManifest(b []byte) (m manifest, err error) {
	if len(b) > maxManifest {
		return m, fmt.Errorf("trust: %s: %w", manifestFile, errTooLarge)
	}
	if err := strictjson.Check(b, 8); err != nil {
		return m, fmt.Errorf("trust: %s: %w", manifestFile, err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("trust: %s: %w", manifestFile, err)
	}
	if m.Version != manifestVersion {
		return m, fmt.Errorf("trust: %s: version %d is not known here", manifestFile, m.Version)
	}
	lists, listed := 0, 0
	for _, i := range m.Issuers {
		lists += len(i.CRLs)
	}
	for _, l := range m.Masters {
		listed = max(listed, len(l.CSCA))
	}
	for _, n := range []int{len(m.Issuers), lists, len(m.CSCA), len(m.Masters), listed, len(m.DSC), len(m.CRL), len(m.Status), len(m.Logs), len(m.Health), len(m.Parts)} {
		if n > maxEntries {
			return m, fmt.Errorf("trust: %s: more than %d entries in a list", manifestFile, maxEntries)
		}
	}
	return m, nil
}

// Whole is the manifest of a trust directory that has folders as its parts, and no more.
func Whole(folders []string, at time.Time) ([]byte, error) {
	text, err := json.MarshalIndent(manifest{
		Version: manifestVersion, MadeAt: at.UTC().Truncate(time.Second), Parts: folders,
		Issuers: []manifestIssuer{}, CSCA: []string{}, DSC: []string{}, CRL: []string{}, Status: []manifestStatus{},
	}, "", "  ")
	return append(text, '\n'), err
}

// FileNames returns the paths that a manifest names, each once, sorted, without
// those of issuance logs.
func FileNames(manifestText []byte) ([]string, error) {
	m, err := parseManifest(manifestText)
	if err != nil {
		return nil, err
	}
	names := slices.Concat(m.CSCA, m.DSC, m.CRL)
	for _, l := range m.Masters {
		names = append(names, l.CSCA...)
	}
	for _, i := range m.Issuers {
		names = append(append(names, i.JWKS), i.CRLs...)
	}
	for _, l := range m.Status {
		names = append(names, l.Head, l.Marks)
	}
	for _, h := range m.Health {
		names = append(names, h.Certificate)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
