package server

import (
	"context"
	"sync"
	"time"

	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/fault"
)

// verifyBody is a code to be judged.
type verifyBody struct {
	Text string    `json:"text" minLength:"1" maxLength:"65536" doc:"text of a code: shc:/…, or the JSON of a VDS-NC bar code"`
	At   time.Time `json:"at,omitzero" doc:"time to judge for; now where absent"`
}

// verdictsBody is what was found. The verdicts have the published form of
// akashi verify --json; the sentences explain every code in them.
type verdictsBody struct {
	Verdicts  []verify.Verdict `json:"verdicts"`
	Sentences map[string]text  `json:"sentences" doc:"by code of facet or note"`
}

// verifyCode judges a code and keeps nothing.
func (s *Server) verifyCode(c *call) (answer, error) {
	at, content := s.Clock.Now(), c.body
	if c.contentType == "application/json" {
		b, err := decode[verifyBody](c)
		if err != nil {
			return answer{}, err
		}
		content = []byte(b.Text)
		if !b.At.IsZero() {
			at = b.At
		}
	}
	if len(content) == 0 {
		return answer{}, fault.New(fault.Invalid, "required", "text")
	}
	bundle, err := s.published.get(c.ctx, s.Published, s.Clock.Now())
	if err != nil {
		return answer{}, err
	}
	name := ""
	if c.contentType == cardType {
		name = "card.smart-health-card"
	}
	out := verdictsBody{Verdicts: verify.File(name, content, bundle, at), Sentences: map[string]text{}}
	for _, v := range out.Verdicts {
		for _, f := range v.Facets {
			out.explain(f.Code)
		}
		for _, note := range v.Notes {
			out.explain(note)
		}
	}
	return value(out)
}

func (b verdictsBody) explain(code string) {
	if ja, en := verify.Sentence(code); en != "" {
		b.Sentences[code] = text{ja, en}
	}
}

// publishedAge is how long the published keys are kept before they are asked for again.
const publishedAge = 10 * time.Second

// publishedKeys keeps the trust bundle of this installation for a moment, so
// that strangers cannot make the database work.
type publishedKeys struct {
	mu     sync.Mutex
	bundle *trust.Bundle
	at     time.Time
}

func (p *publishedKeys) get(ctx context.Context, ask func(context.Context) (*trust.Bundle, error), now time.Time) (*trust.Bundle, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
