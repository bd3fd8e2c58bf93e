package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"akashi/certificate/verify"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// call is one request on its way through a route.
type call struct {
	ctx         context.Context
	face        face
	id          string // request id
	address     string // of the client, see proxies
	terminal    office.Terminal
	route       *route
	request     *http.Request
	param       func(name string) string
	query       url.Values
	session     *office.Session
	actor       actor.Actor
	contentType string
	body        []byte
	back        []func() // give back what it holds of the memory for files
}

// answer is what a route gives back: a value that becomes JSON, or a file.
type answer struct {
	status int // 0: the route's own
	header map[string]string
	cookie []*http.Cookie
	body   any
	file   []byte
	media  string // of the file
}

func value(v any) (answer, error) { return answer{body: v}, nil }

// attachment is a file to be saved under a name that holds nothing personal.
func attachment(file []byte, media, name string) answer {
	return answer{file: file, media: media, header: map[string]string{"Content-Disposition": `attachment; filename="` + name + `"`}}
}

// serve runs a route for a request.
func (s *Server) serve(r *route, g *gin.Context) {
	c := g.Request.Context().Value(callKey{}).(*call)
	c.route, c.param = r, g.Param
	ctx, cancel := context.WithTimeout(g.Request.Context(), r.time())
	defer cancel()
	c.request = g.Request
	if r.longer > 0 {
		control := http.NewResponseController(g.Writer)
		_ = control.SetReadDeadline(time.Now().Add(r.longer)) // not every test server has deadlines
		_ = control.SetWriteDeadline(time.Now().Add(2 * r.longer))
		c.request.Body = &steady{ReadCloser: c.request.Body, control: control, began: time.Now(), first: s.patience, most: r.longer}
	}
	ctx, span := s.Tracer.Start(ctx, r.id, trace.WithAttributes(attribute.String("face", string(c.face)), attribute.String("request", c.id)))
	defer span.End()
	c.ctx = ctx
	if r.leaves {
		forget(g.Writer)
	}
	defer c.release()
	a, err := s.run(c, g.Writer)
	if err != nil {
		span.SetStatus(codes.Error, string(fault.CodeOf(err))) // the text may hold anything
		s.refuse(g.Writer, c, err)
		return
	}
	s.write(g.Writer, c, a)
}

// run handles a call; whatever refuses somebody who is known is in the log (S-083).
func (s *Server) run(c *call, w http.ResponseWriter) (answer, error) {
	a, err := s.handle(c, w)
	return a, s.noted(c, err)
}

// noted sees to it that what refused somebody who is known is in the log.
func (s *Server) noted(c *call, err error) error {
	if err != nil && c.actor.Person != "" && c.route.purpose != actor.Verify && !audit.IsLogged(err) {
		return s.refusal(c, err)
	}
	return err
}

// handle is the order of every route: who, may he, what, do.
func (s *Server) handle(c *call, w http.ResponseWriter) (answer, error) {
	if err := s.admit(c); err != nil {
		return answer{}, err
	}
	if err := c.readQuery(); err != nil {
		return answer{}, err
	}
	if err := c.checkType(); err != nil {
		return answer{}, err
	}
	if c.isPicture() {
		back, err := s.pictures[c.face].receiving.take(c.address, 1)
		if err != nil {
			return answer{}, err
		}
		defer back()
	}
	if err := s.hold(c); err != nil {
		return answer{}, err
	}
	if err := c.readBody(w); err != nil {
		return answer{}, err
	}
	return c.route.serve(c)
}

// admit finds out who calls and refuses who may not (S-015, S-018, S-024).
func (s *Server) admit(c *call) error {
	if c.route.permission == anyone {
		if c.route.throttled && c.face == publicFace && !s.verifiers.allow(c.address, s.Clock.Now()) {
			return fault.New(fault.Unavailable, "too_many_requests", "")
		}
		return nil
	}
	if c.route.leaves {
		return s.enter(c)
	}
	if err := s.halted(c); err != nil {
		return err
	}
	if err := s.enter(c); err != nil {
		return err
	}
	if c.elsewhere(c.actor.Office) {
		return s.refusal(c, errTerminal)
	}
	if c.route.permission != oneself && !c.actor.May(string(c.route.permission)) {
		return s.refusal(c, fault.New(fault.Forbidden, "permission", ""))
	}
	if err := s.present(c); err != nil || c.route.permission == oneself && !c.route.looksUp {
		return err
	}
	return s.bounds(c)
}

// halted refuses whatever touches a person while the log is not being proven:
// verifying, reading the log itself, approving and leaving go on (S-086).
func (s *Server) halted(c *call) error {
	if s.Halted == nil || c.route.whileUnsigned || c.route.purpose == actor.Verify || c.route.purpose == actor.Audit {
		return nil
	}
	return s.Halted(c.ctx)
}

// refusal logs an act that was refused before its use case was asked (S-083).
func (s *Server) refusal(c *call, cause error) error {
	return s.Log.Refuse(c.ctx, c.actor, audit.Entry{Action: c.route.action()}, cause)
}

// readQuery refuses parameters that the route does not know, and repeated ones.
func (c *call) readQuery() (err error) {
	if c.query, err = url.ParseQuery(c.request.URL.RawQuery); err != nil {
		return fault.New(fault.Invalid, "query", "")
	}
	for name, values := range c.query {
		if !slices.Contains(c.route.query, name) {
			return fault.New(fault.Invalid, "unknown_parameter", "")
		}
		if len(values) > 1 {
			return fault.New(fault.Invalid, "repeated_parameter", name)
		}
	}
	return nil
}

// isPicture tells whether the body is a picture, of a route that takes them.
func (c *call) isPicture() bool {
	return c.route.pictures && slices.Contains(pictureTypes, c.contentType)
}

// limit is the largest body of the call.
func (c *call) limit() int64 {
	if c.isPicture() {
		return verify.MaxPicture
	}
	return c.route.limit()
}

// readBody reads at most what the route allows.
func (c *call) readBody(w http.ResponseWriter) error {
	limit := c.limit()
	tooLarge := fault.New(fault.TooLarge, "body_too_large", "").With("max", fmt.Sprint(limit))
	if c.request.ContentLength > limit {
		return tooLarge
	}
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(w, c.request.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge
	case err != nil:
		return fault.New(fault.Invalid, "body_incomplete", "").Because(err)
	case len(c.route.takes) == 0 && len(c.body) > 0 && strings.TrimSpace(string(c.body)) != "{}":
		return fault.New(fault.Invalid, "body_not_expected", "")
	}
	return nil
}

// checkType finds out what the body is and refuses what the route does not take.
func (c *call) checkType() error {
	if len(c.route.takes) == 0 || c.route.bare && c.request.ContentLength == 0 {
		return nil
	}
	refused := fault.New(fault.Invalid, "media_type", "Content-Type").With("types", strings.Join(c.route.takes, ", "))
	if e := c.request.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return refused
	}
	media, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(c.route.takes, media) {
		return refused
	}
	if set := params["charset"]; set != "" && media != "text/csv" && !strings.EqualFold(set, "utf-8") {
		return refused
	}
	c.contentType = media
	return nil
}

var (
	rowForm         = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	passkeyForm     = regexp.MustCompile(`^[A-Za-z0-9_-]{16,}$`) // base64url
	certificateForm = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{12}$`)
)

// row returns the row id in the path. What cannot be one does not exist, exactly
// like one that does not; the text itself goes nowhere.
func (s *Server) row(c *call, what string) (string, error) { return s.pathID(c, rowForm, what) }

func (s *Server) certificateID(c *call) (string, error) {
	return s.pathID(c, certificateForm, "certificate")
}

func (s *Server) pathID(c *call, form *regexp.Regexp, what string) (string, error) {
	if id := c.param("id"); form.MatchString(id) {
		return id, nil
	}
	return "", s.refusal(c, fault.New(fault.NotFound, what, ""))
}

const maxPage = 50

// page returns limit and cursor of a list.
func (c *call) page(cursor *regexp.Regexp) (limit int, before string, err error) {
	limit = maxPage
	if text := c.query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return 0, "", fault.New(fault.Invalid, "limit", "limit").With("max", fmt.Sprint(maxPage))
		}
	}
	if before = c.query.Get("cursor"); before != "" && !cursor.MatchString(before) {
		return 0, "", fault.New(fault.Invalid, "cursor", "cursor")
	}
	return limit, before, nil
}

// hash is what tells two bodies apart under one idempotency key.
func (c *call) hash() []byte {
	sum := sha256.Sum256(c.body)
	return sum[:]
}

func (s *Server) write(w gin.ResponseWriter, c *call, a answer) {
	if a.status == 0 {
		a.status = c.route.status
	}
	for name, v := range a.header {
		w.Header().Set(name, v)
	}
	for _, c := range a.cookie {
		http.SetCookie(w, c)
	}
	if a.file == nil && a.body != nil {
		b, err := json.Marshal(a.body)
		if err != nil {
			s.refuse(w, c, err)
			return
		}
		a.file, a.media = append(b, '\n'), "application/json"
	}
	if a.media != "" {
		w.Header().Set("Content-Type", a.media)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.file)))
	}
	w.WriteHeader(a.status)
	w.WriteHeaderNow()
	_, _ = w.Write(a.file) // the client may be gone
}
