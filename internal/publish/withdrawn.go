package publish

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/signing"
	"akashi/signing/pki"
)

// WithdrawnName names the list of a key of EU certificates.
func WithdrawnName(key string) string { return "dcc/" + key }

// Withdrawn are the files of one key for verifiers of EU certificates (spec eu-dcc,
// 12): revoked and superseded ones, which these forms cannot tell apart.
type Withdrawn struct {
	KeyID   []byte // kid
	Version int64
	At      time.Time

	Batches []byte // JSON: batches of the gateway, of hashes of identifiers
	Filter  []byte // Bloom filter of the same
	Hashes  []byte // the same cut short
}

// Chances that a filter, or a list of cut hashes, names a certificate that is good:
// whoever is named by one is looked for in the batches.
const (
	filterChance = 1e-4
	hashesChance = 1e-7
)

// euCertificate names an EU certificate of ours.
type euCertificate struct {
	certificate string
	dose        int
}

// withdrawnLists makes the list of each key of EU certificates that has to change.
func (m *Maker) withdrawnLists(ctx context.Context, keys []signing.Key, versions map[string]int64, now time.Time) (lists []List, err error) {
	for _, k := range keys {
		ended := m.withdrawn[k.ID]
		if k.Purpose != signing.DSC || k.State == signing.Compromised || len(ended) == 0 {
			continue
		}
		content, err := batches(k, slices.Collect(maps.Keys(ended)))
		if err != nil {
			return nil, err
		}
		name := WithdrawnName(k.ID)
		if versions[name] > 0 {
			stored, err := m.Store.List(ctx, name)
			if err != nil {
				return nil, err
			}
			if bytes.Equal(stored.Content, content) {
				continue
			}
		}
		lists = append(lists, List{name, max(versions[name]+1, now.Unix()), now, "", content})
	}
	return lists, nil
}

// batches are the same bytes for the same certificates.
func batches(k signing.Key, ended []euCertificate) ([]byte, error) {
	signer, err := pki.ParseCertificate(k.Certificate)
	if err != nil {
		return nil, fmt.Errorf("publish: signer of EU certificates: %w", err)
	}
	marks := make([]hcert.Mark, len(ended))
	for i, e := range ended {
		marks[i] = hcert.IDMark(hcert.UVCI(signer.Subject.Country(), e.certificate, e.dose))
	}
	return json.Marshal(hcert.Batch{
		Country: signer.Subject.Country(), Expires: k.NotAfter, KeyID: hcert.KeyID(k.Certificate), Type: hcert.MarkOfID, Marks: marks,
	}.Split())
}

// withdrawnOf makes the files of a stored list.
func withdrawnOf(l List) (*Withdrawn, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(l.Content, &texts); err != nil || len(texts) == 0 {
		return nil, ErrList
	}
	w := &Withdrawn{Version: l.Version, At: l.At, Batches: l.Content}
	var marks []hcert.Mark
	for _, text := range texts {
		b, err := hcert.ParseBatch(text)
		if err != nil {
			return nil, ErrList
		}
		w.KeyID, marks = b.KeyID, append(marks, b.Marks...)
	}
	filter, err := hcert.NewFilter(len(marks), filterChance)
	if err != nil {
		return nil, err
	}
	for _, m := range marks {
		filter.Add(m)
	}
	hashes, err := hcert.NewHashList(marks, hashesChance)
	if err != nil {
		return nil, err
	}
	var errs [2]error
	w.Filter, errs[0] = filter.MarshalBinary()
	w.Hashes, errs[1] = hashes.MarshalBinary()
	return w, errors.Join(errs[:]...)
}

// withdrawnIndex is one line of the index of all keys.
type withdrawnIndex struct {
	KeyID   string    `json:"kid"`
	Version int64     `json:"version"`
	At      time.Time `json:"time"`
	Batches string    `json:"batches"`
	Filter  string    `json:"filter"`
	Hashes  string    `json:"hashes"`
}

// WithdrawnIndex is the name of the file that names the others.
const WithdrawnIndex = "index.json"

// WithdrawnFile returns a file for verifiers of EU certificates by its name; false if
// there is none of that name.
func (l *Lists) WithdrawnFile(ctx context.Context, name string) ([]byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	problem := l.refresh(ctx)
	if name == SignersFile {
		return l.signers.Content, len(l.signers.Content) > 0, problem
	}
	index := []withdrawnIndex{}
	for _, key := range slices.Sorted(maps.Keys(l.withdrawn)) {
		w := l.withdrawn[key]
		kid := base64.RawURLEncoding.EncodeToString(w.KeyID)
		line := withdrawnIndex{kid, w.Version, w.At, kid + ".json", kid + ".bloom", kid + ".hashes"}
		switch name {
		case line.Batches:
			return w.Batches, true, problem
		case line.Filter:
			return w.Filter, true, problem
		case line.Hashes:
			return w.Hashes, true, problem
		}
		index = append(index, line)
	}
	if name != WithdrawnIndex {
		return nil, false, problem
	}
	b, err := json.Marshal(index)
	return b, true, errors.Join(err, problem)
}

// keepWithdrawn notes an EU certificate that ended; it tells whether that is news.
func (m *Maker) keepWithdrawn(c EndedCode) bool {
	if c.Family != certificate.DCC {
		return false
	}
	if m.withdrawn[c.KeyID] == nil {
		m.withdrawn[c.KeyID] = map[euCertificate]bool{}
	}
	one := euCertificate{c.Certificate, c.Dose}
	known := m.withdrawn[c.KeyID][one]
	m.withdrawn[c.KeyID][one] = true
	return !known
}
