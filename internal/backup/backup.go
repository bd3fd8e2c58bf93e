// Package backup is the form of a backup: the rows of every table, as JSON lines in
// a tar, encrypted with age to a key that is kept offline (S-078).
//
// A backup has two parts. The keys that seal a person's data go into a part of their
// own, so that an old backup read with a newer part of keys does not bring back what
// was erased since (S-076). The first entry of a part says what it is, the last one
// counts and hashes what was in it: a part that was cut or changed is refused, and so
// is what was already read from it. Nothing is written to a disk in the clear.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"time"
	"unicode/utf8"
)

// Format of the archive; a reader refuses any other.
const Format = 1

// The parts of a backup.
const (
	Data = "data"
	Keys = "keys"
)

// Header says what a part is.
type Header struct {
	Format  int       `json:"format"`
	Part    string    `json:"part"`
	Program string    `json:"program"` // version that made it
	Schema  int64     `json:"schema"`  // version of the last migration
	MadeAt  time.Time `json:"made_at"`
}

// Table is what a part holds of one table.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int      `json:"rows"`
	SHA256  string   `json:"sha256"` // of its lines
}

// Manifest closes a part.
type Manifest struct {
	Header
	Tables []Table `json:"tables"`
}

// Rows is how many rows of a table a part holds.
func (m Manifest) Rows(table string) int {
	for _, t := range m.Tables {
		if t.Name == table {
			return t.Rows
		}
	}
	return 0
}

// Errors of reading. ErrKey tells that none of the identities opens the part.
var (
	ErrDamaged = errors.New("the backup is damaged or not whole")
	ErrKey     = errors.New("the backup was not made for this key")
)

const (
	headerName   = "header.json"
	manifestName = "manifest.json"
	keysName     = "keys" // where the rows of the other part belong
	rowsFolder   = "rows/"
	chunkSize    = 1 << 20
	maxChunk     = 256 << 20 // a file that was imported is one value
)

// tally counts and hashes the lines of a table.
type tally struct {
	Table
	sum hash.Hash
}

func newTally(name string, columns []string) *tally {
	return &tally{Table{Name: name, Columns: columns}, sha256.New()}
}

func (t *tally) add(line []byte) {
	t.Rows++
	t.sum.Write(line)
}

func (t *tally) done() Table {
	t.SHA256 = hex.EncodeToString(t.sum.Sum(nil))
	return t.Table
}

// binary is how a value of bytes is written.
type binary struct {
	Base64 string `json:"b"`
}

// encode writes a row as one line. Values are nil, string, int64, bool and []byte,
// which both databases understand.
func encode(values []any) ([]byte, error) {
	plain := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil, int64, bool:
			plain[i] = v
		case string:
			if !utf8.ValidString(v) {
				return nil, errors.New("backup: a text is not UTF-8")
			}
			plain[i] = v
		case []byte:
			plain[i] = binary{base64.StdEncoding.EncodeToString(v)}
		default:
			return nil, fmt.Errorf("backup: a value of type %T", v)
		}
	}
	line, err := json.Marshal(plain)
	return append(line, '\n'), err
}

func decode(line []byte, columns int) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil || len(raw) != columns {
		return nil, ErrDamaged
	}
	values := make([]any, columns)
	for i, r := range raw {
		var err error
		switch r[0] {
		case 'n':
		case '"':
			var s string
			err = json.Unmarshal(r, &s)
			values[i] = s
		case 't', 'f':
			values[i] = r[0] == 't'
		case '{':
			var b binary
			if err = json.Unmarshal(r, &b); err == nil {
				values[i], err = base64.StdEncoding.DecodeString(b.Base64)
			}
		default:
			var n int64
			err = json.Unmarshal(r, &n)
			values[i] = n
		}
		if err != nil {
			return nil, ErrDamaged
		}
	}
	return values, nil
}

func lines(content []byte) [][]byte {
	return bytes.SplitAfter(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
}
