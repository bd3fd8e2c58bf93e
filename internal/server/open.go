package server

import (
	"bytes"
	"embed"
	"html/template"

	"akashi/internal/fault"
	"akashi/internal/office"
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

//go:embed pages/sign-in.html
var formPage string

var formTemplate = template.Must(template.New("form").Parse(formPage))

// formText is what differs between the two pages with a form.
type formText struct {
	Form, TitleJA, TitleEN, LeadJA, LeadEN, ButtonJA, ButtonEN, Autocomplete string
}

var (
	signInText = formText{
		"sign-in", "サインイン", "Sign in", "パスワードのあと、パスキーで確かめます。", "After the password, your passkey is asked for.",
		"サインイン", "Sign in", "current-password",
	}
	setupText = formText{
		"setup", "アカウントの設定", "Set up your account", "15 文字以上のパスワードを決め、パスキーを登録します。このリンクは一度だけ使えます。",
		"Choose a password of at least 15 characters and register a passkey. This link works once.", "設定する", "Set up", "new-password",
	}
)

// formPolicy lets a page use its own script, style and API, and nothing else (S-022).
const formPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// formOf answers with a page that has a form.
func (s *Server) formOf(t formText) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		var b bytes.Buffer
		err := formTemplate.Execute(&b, struct {
			formText
			Reminder office.Reminder
		}{t, s.Accounts.Reminder})
		return answer{file: b.Bytes(), media: "text/html; charset=utf-8", header: map[string]string{"Content-Security-Policy": formPolicy}}, err
	}
}

// asset answers with a file that pages use.
func asset(name, media string) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		b, err := pages.ReadFile("pages/" + name)
		return answer{file: b, media: media}, err
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
