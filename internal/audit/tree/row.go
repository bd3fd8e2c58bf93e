package tree

import (
	"encoding/json"
	"time"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

// Kind is what is wrong with a log.
type Kind string

const (
	Missing   Kind = "missing"       // a placed entry is gone
	Changed   Kind = "changed"       // an entry is not what its leaf was made of
	Columns   Kind = "columns"       // an entry reads otherwise than it was proven
	Order     Kind = "order"         // leaves are missing, doubled or out of order
	Root      Kind = "root"          // the tree is not the one that was signed
	Tile      Kind = "tile"          // a stored inner node is wrong
	Truncated Kind = "truncated"     // shorter than what was signed
	Backdated Kind = "backdated"     // an entry says a time that was closed before it came
	Outside   Kind = "outside"       // an entry of a time that was closed has no place
	Signature Kind = "signature"     // a checkpoint was not signed with the pinned key
	Fork      Kind = "fork"          // two signed checkpoints contradict each other
	None      Kind = "no_checkpoint" // there is nothing to prove against
)

// Cover says which signed checkpoint covers an entry: the first of a size above its
// place. A zero size: none does yet.
type Cover struct {
	Place, Size int64
	At          time.Time
}

// check judges a row by itself; the entry's record is nil where it has none.
func (r Row) check() (kind Kind, record *audit.Record) {
	switch {
	case r.Data == nil:
		return Missing, nil
	case !merkle.Equal(merkle.Leaf(r.Data), r.Leaf):
		return Changed, nil
	case r.Columns == nil:
		return "", nil
	}
	var told audit.Record
	if json.Unmarshal(r.Data, &told) != nil {
		return Columns, nil
	}
	read := *r.Columns
	read.Canonical, told.Canonical = nil, nil
	if told.Office != r.Office || told.ID != r.ID || !same(told, read) {
		return Columns, nil
	}
	return "", &told
}

func same(a, b audit.Record) bool {
	return a.Office == b.Office && a.ID == b.ID && a.At == b.At && a.Person == b.Person && a.Terminal == b.Terminal &&
		a.Purpose == b.Purpose && a.Case == b.Case && a.Action == b.Action && a.Object == b.Object && a.Concerned == b.Concerned &&
		a.Result == b.Result && a.Request == b.Request
}
