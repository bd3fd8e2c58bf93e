// Package storybook serves the real pages over an office of invented people, so
// that each page can be looked at in each state worth seeing.
//
// It promises that nothing it shows is real: TEST identity, a database that is
// thrown away, a clock that stands still, on loopback alone. It is part of builds
// for tests only (-tags storybook), and the source of the screenshots in docs.
package storybook

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/cli"
	"akashi/internal/server"
)

// opened is the day of the book, a Tuesday morning in Japan. Its clock begins weeks before.
var opened = time.Date(2026, 11, 24, 0, 30, 0, 0, time.UTC)

// Book is the pages in their states, and the faces that serve them.
type Book struct {
	Pages   []string `json:"pages"` // of the route table
	Stories []Story  `json:"stories"`
	Long    []string `json:"long"` // names that are long

	app    *cli.App
	staff  http.Handler
	passed atomic.Int64 // on the clock, in nanoseconds
	log    cli.Job      // signs for the log, without which nothing about persons is done
}

// Faces builds the faces over a node, as the program does.
type Faces func(*cli.Node) (*server.Server, error)

// Command is akashi storybook.
func Command(faces Faces) func(cli.Adapters) *cobra.Command {
	return func(parts cli.Adapters) *cobra.Command {
		var address string
		cmd := &cobra.Command{
			Use: "storybook", Short: "Serve every page in every state with invented people", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				data, err := os.MkdirTemp("", "akashi-storybook-*")
				if err != nil {
					return err
				}
				defer func() { _ = os.RemoveAll(data) }()
				l, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", address)
				if err != nil {
					return err
				}
				_, port, _ := net.SplitHostPort(l.Addr().String())
				origin := "http://localhost:" + port // where browsers have passkeys
				b, err := Open(cmd.Context(), data, origin, parts.Open, faces)
				if err != nil {
					return errors.Join(err, l.Close())
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "storybook at %s%s\n", origin, folder)
				return errors.Join(b.serve(cmd.Context(), l), b.app.Close())
			},
		}
		cmd.Flags().StringVar(&address, "address", "127.0.0.1:8099", "where to listen, on loopback")
		return cmd
	}
}

// Open fills an office over a data directory.
func Open(ctx context.Context, data, origin string, open cli.OpenStore, faces Faces) (*Book, error) {
	c, err := cli.LoadConfig([]string{"AKASHI_DATA=" + data, "AKASHI_STAFF_ORIGIN=" + origin, "AKASHI_FACES=staff"})
	if err != nil {
		return nil, err
	}
	b := &Book{Long: []string{longFamily, longGiven, longLatin}}
	if b.app, err = cli.OpenAt(ctx, c, open, b.now); err != nil {
		return nil, err
	}
	for _, j := range b.app.Jobs() {
		if j.Name == "log" {
			b.log = j
		}
	}
	srv, err := faces(&cli.Node{Config: c, Staff: b.app, Published: b.app.Published})
	if err != nil {
		return nil, errors.Join(err, b.app.Close())
	}
	b.staff, b.Pages = srv.Staff(), srv.Pages()
	return b, b.fill(ctx)
}

func (b *Book) now() time.Time {
	return opened.Add(-16*24*time.Hour + time.Duration(b.passed.Load()))
}

// forward lets time pass.
func (b *Book) forward(ctx context.Context, d time.Duration) error {
	b.passed.Add(int64(d))
	return b.log.Run(ctx, slog.Default())
}

const folder = "/storybook"

func (b *Book) serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+folder, b.contents)
	mux.HandleFunc("GET "+folder+"/book.json", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(b) })
	mux.HandleFunc("GET "+folder+"/open/{story}", b.open)
	mux.HandleFunc("POST "+folder+"/clock/{minutes}", b.wind)
	mux.Handle("/", b.staff)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn)}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return srv.Close()
	}
}

//go:embed contents.html
var files embed.FS

var contents = template.Must(template.ParseFS(files, "contents.html"))

// contents lists the pages with their states.
func (b *Book) contents(w http.ResponseWriter, _ *http.Request) {
	type line struct {
		Page    string
		Stories []Story
	}
	var lines []line
	for _, p := range b.Pages {
		l := line{Page: p}
		for _, s := range b.Stories {
			if s.Page == p {
				l.Stories = append(l.Stories, s)
			}
		}
		lines = append(lines, l)
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'")
	_ = contents.Execute(w, lines)
}

// open shows a story, signed in as who sees it.
func (b *Book) open(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("story"))
	if err != nil || n < 0 || n >= len(b.Stories) {
		http.NotFound(w, r)
		return
	}
	s := b.Stories[n]
	cookie := &http.Cookie{Name: sessionCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: -1}
	if s.As != "" {
		value, err := b.signIn(r.Context(), s.Office, s.As)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		cookie.Value, cookie.MaxAge = value, 0
	}
	http.SetCookie(w, cookie)
	if s.Form == nil {
		http.Redirect(w, r, s.Path, http.StatusSeeOther)
		return
	}
	b.staff.ServeHTTP(w, b.request(r.Context(), cookie.Value, s.Path, s.Form))
}

// wind lets minutes pass on the clock of the book.
func (b *Book) wind(w http.ResponseWriter, r *http.Request) {
	minutes, err := strconv.Atoi(r.PathValue("minutes"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if err := b.forward(r.Context(), time.Duration(minutes)*time.Minute); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
