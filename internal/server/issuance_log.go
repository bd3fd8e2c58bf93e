package server

import (
	"context"

	"akashi/internal/fault"
)

// IssuanceLog is what is published of the log of issued certificates
// (docs/issuance-log.md).
type IssuanceLog interface {
	Checkpoint(ctx context.Context) string // empty before the first
	Part(ctx context.Context, size, name string) ([]byte, bool)
}

const noteType = "text/plain; charset=utf-8"

// issuanceCheckpoint answers with the newest checkpoint.
func (s *Server) issuanceCheckpoint(c *call) (answer, error) {
	text := ""
	if s.IssuanceLog != nil {
		text = s.IssuanceLog.Checkpoint(c.ctx)
	}
	if text == "" {
		return answer{}, fault.New(fault.NotFound, "issuance_log", "")
	}
	h := openToAll()
	h["Cache-Control"] = "public, max-age=30"
	return answer{file: []byte(text), media: noteType, header: h}, nil
}

// issuancePart answers with the index or a bucket of the newest edition, which
// never changes under its name.
func (s *Server) issuancePart(c *call) (answer, error) {
	var b []byte
	found := false
	if s.IssuanceLog != nil {
		b, found = s.IssuanceLog.Part(c.ctx, c.param("size"), c.param("part"))
	}
	if !found {
		return answer{}, fault.New(fault.NotFound, "issuance_log_part", "")
	}
	h := openToAll()
	h["Cache-Control"] = "public, max-age=86400, immutable"
	return answer{file: b, media: "application/octet-stream", header: h}, nil
}
