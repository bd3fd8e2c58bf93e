// Package merkle is the hashing of a log that cannot be changed unseen: the tree
// of RFC 6962, section 2.1, and its signed size and root, the checkpoint.
//
// It keeps nothing and signs nothing; roots are computed from leaves that the
// caller reads in order, with a memory of one hash for each level.
package merkle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Size is the length of a hash in bytes.
const Size = sha256.Size

// Hash is that of a leaf, a node or a tree.
type Hash = tlog.Hash

// Leaf returns the hash of an entry: SHA-256 over 0x00 and its bytes.
func Leaf(entry []byte) Hash { return tlog.RecordHash(entry) }

// TileLevel is the level of a tile's root, TileSize the leaves below it.
const (
	TileLevel = 8
	TileSize  = 1 << TileLevel
)

// Tree is a tree that grows at its right edge; the zero value is empty.
type Tree struct {
	size  int64
	nodes []node // complete subtrees, left to right, each larger than the next
}

type node struct {
	hash  Hash
	level int
}

// Size returns the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds a leaf.
func (t *Tree) Append(leaf Hash) { t.add(node{leaf, 0}) }

// AppendTile adds the root of TileSize leaves; the size must be a multiple of it.
func (t *Tree) AppendTile(root Hash) error {
	if t.size%TileSize != 0 {
		return errors.New("merkle: a tile begins at a multiple of its size")
	}
	t.add(node{root, TileLevel})
	return nil
}

func (t *Tree) add(n node) {
	t.size += 1 << n.level
	for last := len(t.nodes) - 1; last >= 0 && t.nodes[last].level == n.level; last-- {
		n = node{tlog.NodeHash(t.nodes[last].hash, n.hash), n.level + 1}
		t.nodes = t.nodes[:last]
	}
	t.nodes = append(t.nodes, n)
}

// Root returns the tree's hash; that of the empty tree is SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	root := t.nodes[len(t.nodes)-1].hash
	for i := len(t.nodes) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.nodes[i].hash, root)
	}
	return root
}

// HashOf makes a hash of stored bytes; false if their number is wrong.
func HashOf(b []byte) (h Hash, ok bool) {
	return h, copy(h[:], b) == Size && len(b) == Size
}

// Equal tells whether the bytes are the hash.
func Equal(h Hash, b []byte) bool { return bytes.Equal(h[:], b) }

// Clone returns a tree that grows by itself.
func (t *Tree) Clone() Tree { return Tree{t.size, slices.Clone(t.nodes)} }
