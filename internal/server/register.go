package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"akashi/certificate/verify"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// build registers the routes of one face with gin, and describes them with huma.
// Huma's own decoding and errors are not used: they repeat values.
func (s *Server) build(f face, all []*route) (http.Handler, error) {
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	if err := engine.SetTrustedProxies(nil); err != nil {
		return nil, err
	}
	api := humagin.New(engine, huma.Config{OpenAPI: document(f, s.Version)})
	for _, r := range all {
		if !slices.Contains(r.faces, f) {
			continue
		}
		if err := r.complete(); err != nil {
			return nil, err
		}
		s.register(api, r)
	}
	text, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	s.documents[f] = text
	engine.NoRoute(func(g *gin.Context) { s.unrouted(g, fault.New(fault.NotFound, "route", "")) })
	engine.NoMethod(func(g *gin.Context) { s.unrouted(g, fault.New(fault.Invalid, "method", "")) })
	return s.guard(f, engine), nil
}

func (s *Server) unrouted(g *gin.Context, err error) {
	s.refuse(g.Writer, g.Request.Context().Value(callKey{}).(*call), err)
}

// complete refuses a route that does not say who may call it and why (S-024).
func (r *route) complete() error {
	var missing error
	switch {
	case r.permission == "" || r.permission != anyone && r.permission != oneself && !granted(r.permission):
		missing = errors.New("no permission that a role has")
	case r.purpose == "":
		missing = errors.New("no purpose")
	case r.id == "" || r.status == 0 || r.serve == nil || r.ja == "" || r.en == "":
		missing = errors.New("incomplete")
	}
	if missing != nil {
		return fmt.Errorf("route %s %s: %w", r.method, r.path, missing)
	}
	return nil
}

func granted(p office.Permission) bool {
	return slices.ContainsFunc(office.Roles(), func(r office.Role) bool { return r.Permissions()[string(p)] })
}

func (s *Server) register(api huma.API, r *route) {
	op := r.operation(api.OpenAPI().Components.Schemas)
	if !r.hidden {
		api.OpenAPI().AddOperation(op)
	}
	api.Adapter().Handle(op, func(ctx huma.Context) { s.serve(r, humagin.Unwrap(ctx)) })
}

// document is the empty description of a face.
func document(f face, version string) *huma.OpenAPI {
	d := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Akashi, " + string(f) + " face", Version: version,
			Description: "Vaccination certificates that strangers can verify. Every error is application/problem+json.",
		},
		Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)},
	}
	if f == staffFace {
		d.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
			"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "the session of one named member of staff, who signed in with two factors"},
		}
	}
	return d
}

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

// operation describes a route, and gives it the schema that its bodies are held against.
func (r *route) operation(schemas huma.Registry) *huma.Operation {
	op := &huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.en, Description: r.ja,
		Extensions: map[string]any{"x-permission": string(r.permission), "x-purpose": string(r.purpose), "x-max-bytes": r.limit()},
	}
	if r.stepUp {
		op.Extensions["x-step-up"] = true
	}
	if r.pictures {
		op.Extensions["x-max-picture-bytes"] = verify.MaxPicture
	}
	if r.permission != anyone {
		op.Security = []map[string][]string{{"session": {}}}
	}
	text := &huma.Schema{Type: "string"}
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: m[1], In: "path", Required: true, Schema: text})
	}
	for _, name := range r.query {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: text})
	}
	if r.keyed {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: text,
			Description: "at most 200 printable characters, remembered for 24 hours: the same body gets 200 and Idempotency-Replayed, another body 409",
		})
	}
	if len(r.takes) > 0 {
		op.RequestBody = r.requestBody(schemas)
	}
	op.Responses = r.responses(schemas)
	return op
}

var binary = &huma.Schema{Type: "string", Format: "binary"}

func (r *route) requestBody(schemas huma.Registry) *huma.RequestBody {
	b := &huma.RequestBody{Required: !r.bare, Content: map[string]*huma.MediaType{}}
	if r.in != nil {
		r.registry, r.schema = schemas, schemas.Schema(reflect.TypeOf(r.in), true, r.id)
	}
	for _, media := range r.takes {
		b.Content[media] = &huma.MediaType{Schema: binary}
		if media == "application/json" && r.schema != nil {
			b.Content[media].Schema = r.schema
		}
	}
	return b
}

func (r *route) responses(schemas huma.Registry) map[string]*huma.Response {
	good := &huma.Response{Description: http.StatusText(r.status)}
	switch {
	case r.gives != "":
		good.Content = map[string]*huma.MediaType{r.gives: {Schema: binary}}
	case r.out != nil:
		good.Content = map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(reflect.TypeOf(r.out), true, r.id)}}
	}
	bad := &huma.Response{Description: "what went wrong", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[problem](), true, "problem")},
	}}
	list := map[string]*huma.Response{strconv.Itoa(r.status): good, "default": bad}
	if r.keyed && r.status != http.StatusOK {
		list["200"] = &huma.Response{Description: "it was made before", Content: good.Content}
	}
	return list
}
