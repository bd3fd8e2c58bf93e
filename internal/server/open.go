package server

import (
	"embed"
	"net/http"

	"akashi/internal/fault"
	"akashi/internal/topology"
)

//go:embed pages
var pages embed.FS

// page answers with a small page that tells what a face is.
func page(name string) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		b, err := pages.ReadFile("pages/" + name)
		return answer{file: b, media: "text/html; charset=utf-8"}, err
	}
}

// describe answers with the OpenAPI document of the face.
func (s *Server) describe(c *call) (answer, error) {
	return answer{file: s.documents[c.face], media: openAPIType}, nil
}

const openAPIType = "application/openapi+json"

// keySet publishes the keys of the health cards to everybody (S-023).
func (s *Server) keySet(c *call) (answer, error) {
	bundle, err := s.published.get(c.ctx, s.Published, s.Clock.Now())
	if err != nil {
		return answer{}, err
	}
	set := bundle.JWKS(s.SHCIssuer)
	if set == nil {
		return answer{}, fault.New(fault.NotFound, "key_set", "")
	}
	return answer{file: set, media: "application/json", header: openToAll()}, nil
}

func (s *Server) keySetOptions(*call) (answer, error) {
	h := openToAll()
	h["Access-Control-Allow-Methods"], h["Access-Control-Max-Age"] = http.MethodGet, "86400"
	return answer{header: h}, nil
}

func openToAll() map[string]string {
	return map[string]string{
		"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "public, max-age=300",
	}
}

type healthBody struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// live tells that the process runs.
func (s *Server) live(*call) (answer, error) { return value(healthBody{"ok", s.Version}) }

// ready tells that the service can work: it is not stopping and its database answers.
func (s *Server) ready(c *call) (answer, error) {
	if s.stopping.Load() {
		return answer{}, fault.New(fault.Unavailable, "stopping", "")
	}
	if err := s.Ping(c.ctx); err != nil {
		return answer{}, fault.New(fault.Unavailable, "database", "").Because(err)
	}
	return value(healthBody{"ok", s.Version})
}

type nodesBody struct {
	Nodes []topology.Node `json:"nodes"`
}

// nodes shows the processes with build and configuration, so that a drift between
// them is seen (L-02).
func (s *Server) nodes(c *call) (answer, error) {
	list, err := s.Nodes(c.ctx)
	return answer{body: nodesBody{list}}, err
}
