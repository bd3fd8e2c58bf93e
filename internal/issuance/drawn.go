package issuance

import (
	"crypto/sha256"
	"sync"

	"akashi/certificate/qr"
)

// maxDrawn bounds how many symbols wait for their first print.
const maxDrawn = 256

// drawn keeps the symbols that the self-check has read back, until they are
// printed for the first time: the paper then carries what was checked, and
// nothing is drawn twice. A symbol depends on its text alone; one that is not
// here is drawn again.
type drawn struct {
	mu      sync.Mutex
	symbols map[[sha256.Size]byte]*qr.Matrix // by digest of the text
}

func (d *drawn) put(text string, m *qr.Matrix) {
	digest := sha256.Sum256([]byte(text))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.symbols == nil || len(d.symbols) >= maxDrawn {
		d.symbols = map[[sha256.Size]byte]*qr.Matrix{}
	}
	d.symbols[digest] = m
}

// take returns a symbol once, or nil.
func (d *drawn) take(text string) *qr.Matrix {
	digest := sha256.Sum256([]byte(text))
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.symbols[digest]
	delete(d.symbols, digest)
	return m
}
