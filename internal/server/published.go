package server

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/fault"
)

// publishedAge is how long what is published is kept before it is asked for again.
const publishedAge = 10 * time.Second

// publishedKeys keeps the trust bundle of this installation for a moment, so
// that strangers cannot make the database work, and the files made of it.
type publishedKeys struct {
	mu     sync.Mutex
	bundle *trust.Bundle
	at     time.Time

	of    *trust.Bundle // that the files were made of
	files map[string][]byte
	old   map[string][]byte // of the edition before, which a manifest in a cache may name
}

func (p *publishedKeys) get(ctx context.Context, ask func(context.Context) (*trust.Bundle, error), now time.Time) (*trust.Bundle, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ask(ctx, ask, now)
}

func (p *publishedKeys) ask(ctx context.Context, ask func(context.Context) (*trust.Bundle, error), now time.Time) (*trust.Bundle, error) {
	if p.bundle != nil && now.Sub(p.at).Abs() < publishedAge {
		return p.bundle, nil
	}
	b, err := ask(ctx)
	if err != nil {
		return nil, err
	}
	p.bundle, p.at = b, now
	return b, nil
}

// file returns a file of the trust directory, without issuance logs, which are
// published apart.
func (p *publishedKeys) file(ctx context.Context, ask func(context.Context) (*trust.Bundle, error), now time.Time, name string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := p.ask(ctx, ask, now)
	if err != nil {
		return nil, err
	}
	if p.of != b {
		files, err := b.WithoutIssuances().Files()
		if err != nil {
			return nil, err
		}
		if !maps.EqualFunc(p.files, files, func(a, b []byte) bool { return string(a) == string(b) }) {
			p.old = p.files
		}
		p.of, p.files = b, files
	}
	if content, ok := p.files[name]; ok {
		return content, nil
	}
	if content, ok := p.old[name]; ok && strings.Contains(name, "/") {
		return content, nil
	}
	return nil, fault.New(fault.NotFound, "published_file", "")
}

// directoryEntry is what a directory of issuers of health cards takes of this one
// (spec smart-health-cards, 9).
const directoryEntry = "vci-issuers.json"

// publishedTypes are the media types of the files of a trust directory.
var publishedTypes = map[string]string{
	".json": "application/json", ".der": "application/pkix-cert", ".crl": "application/pkix-crl", ".head": noteType, ".marks": "application/octet-stream",
}

// trustFile answers with a file of the trust directory. But those at its top, they are
// named after their content and never change.
func (s *Server) trustFile(c *call) (answer, error) {
	name, h := c.param("name"), openToAll()
	h["Cache-Control"] = "public, max-age=60"
	if file := c.param("file"); file != "" {
		name += "/" + file
		h["Cache-Control"] = "public, max-age=86400, immutable"
	}
	if name == directoryEntry {
		b, err := json.Marshal(map[string]any{"participating_issuers": []map[string]string{{"iss": s.SHCIssuer, "name": s.SHCName}}})
		return answer{file: b, media: publishedTypes[".json"], header: h}, err
	}
	b, err := s.published.file(c.ctx, s.Published, s.Clock.Now(), name)
	return answer{file: b, media: publishedTypes[path.Ext(name)], header: h}, err
}

// cardList answers with the revocation list of a key of health cards.
func (s *Server) cardList(c *call) (answer, error) {
	bundle, err := s.published.get(c.ctx, s.Published, s.Clock.Now())
	if err != nil {
		return answer{}, err
	}
	key, ok := strings.CutSuffix(c.param("file"), ".json")
	list := bundle.CardList(s.SHCIssuer, key)
	if !ok || list == nil {
		return answer{}, fault.New(fault.NotFound, "card_list", "")
	}
	h := openToAll()
	h["Cache-Control"] = "public, max-age=60"
	return answer{file: list.Raw, media: "application/json", header: h}, nil
}

// withdrawnFile answers with a revocation list of EU certificates.
func (s *Server) withdrawnFile(c *call) (answer, error) {
	var b []byte
	found := false
	if s.Withdrawn != nil {
		var err error
		if b, found, err = s.Withdrawn(c.ctx, c.param("file")); err != nil && !found {
			return answer{}, err
		}
	}
	if !found {
		return answer{}, fault.New(fault.NotFound, "published_file", "")
	}
	media, known := publishedTypes[path.Ext(c.param("file"))]
	if !known {
		media = "application/octet-stream"
	}
	h := openToAll()
	h["Cache-Control"] = "public, max-age=60"
	return answer{file: b, media: media, header: h}, nil
}

// openOptions answers the preflight for what everybody may read.
func (s *Server) openOptions(*call) (answer, error) {
	h := openToAll()
	h["Access-Control-Allow-Methods"], h["Access-Control-Max-Age"] = http.MethodGet, "86400"
	return answer{header: h}, nil
}
