package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"akashi/internal/clock"
	"akashi/internal/publish"
	"akashi/internal/topology"
	"akashi/signing"
)

// PublishedStore is what the public face needs of a database.
type PublishedStore interface {
	publish.Keys
	publish.Logged
	publish.Listed
	CheckRole(ctx context.Context) error
	Ping(ctx context.Context) error
	Close() error
}

// OpenPublished opens an existing database for the public face; cmd/akashi provides it.
type OpenPublished func(ctx context.Context, databaseURL string, c clock.Clock) (PublishedStore, error)

// Faces are what a process may serve; each is a listener but "jobs".
var Faces = []string{"staff", "public", "ops", "jobs"}

// Node is one running process: the parts of the service that its faces need, each
// with the database role of its face.
type Node struct {
	Config    Config
	Staff     *App             // nil without the staff face
	Jobs      *App             // nil without the jobs; the same as Staff where both have one role
	Published *publish.Service // the keys as verifiers get them; nil without staff and public face
	Warnings  []string         // what production would refuse
	Self      topology.Node

	ends   []func() error // what Close does, in order
	opened []interface {
		CheckRole(ctx context.Context) error
		Ping(ctx context.Context) error
	}
}

// Serves tells whether the node has the face.
func (n *Node) Serves(face string) bool { return slices.Contains(n.Config.Faces, face) }

// OpenNode assembles what the faces of the configuration need. A node with the
// public face alone opens neither the file key nor any private key.
func OpenNode(ctx context.Context, c Config, parts Adapters) (*Node, error) {
	if err := c.checkSettings(time.Now()); err != nil {
		return nil, err
	}
	n := &Node{Config: c}
	for _, open := range []func(context.Context, Adapters) error{n.openStaff, n.openJobs, n.openPublic, n.checkRoles, n.checkToken, n.join} {
		if err := open(ctx, parts); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

func (n *Node) openStaff(ctx context.Context, parts Adapters) (err error) {
	if !n.Serves("staff") {
		return nil
	}
	if n.Staff, err = Open(ctx, n.Config, parts.Open); err != nil {
		return err
	}
	n.opened, n.ends = append(n.opened, n.Staff.Store), append(n.ends, n.Staff.Close)
	n.Published = n.Staff.Published
	return nil
}

func (n *Node) openJobs(ctx context.Context, parts Adapters) (err error) {
	c := n.Config
	switch {
	case !n.Serves("jobs"):
		return nil
	case n.Staff != nil && (c.DatabaseURLJobs == "" || c.DatabaseURLJobs == c.DatabaseURL):
		n.Jobs = n.Staff
		return nil
	case c.DatabaseURLJobs != "":
		c.DatabaseURL = c.DatabaseURLJobs
	}
	if n.Jobs, err = Open(ctx, c, parts.Open); err != nil {
		return err
	}
	n.opened, n.ends = append(n.opened, n.Jobs.Store), append(n.ends, n.Jobs.Close)
	return nil
}

func (n *Node) openPublic(ctx context.Context, parts Adapters) error {
	c := n.Config
	if !n.Serves("public") || n.Published != nil && (c.DatabaseURLPublic == "" || c.DatabaseURLPublic == c.DatabaseURL) {
		return nil
	}
	if c.DatabaseURLPublic != "" {
		c.DatabaseURL = c.DatabaseURLPublic
	}
	store, err := parts.OpenPublished(ctx, c.database(), nil)
	if err != nil {
		return err
	}
	n.opened, n.ends = append(n.opened, store), append(n.ends, store.Close)
	n.Published = publish.New(store, filepath.Join(c.Data, keyFolder, signing.CRLFile), nil)
	if key, err := publicKey(c, signing.StatusList); err != nil {
		return err
	} else if key != "" {
		n.Published.Lists = publish.NewLists(store, key)
	}
	key, err := publicKey(c, signing.IssuanceLog)
	if err != nil || key == "" {
		return err
	}
	n.Published.Issuances, err = publish.NewIssuances(store, key, nil)
	return err
}

// publicKey reads the public half of a key of the logs; empty where there is none,
// and what it signs is then not published.
func publicKey(c Config, p signing.Purpose) (string, error) {
	key, err := os.ReadFile(filepath.Join(c.Data, keyFolder, string(p)+".pub"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(key)), err
}

// checkRoles refuses in production a database role that could get around the
// partition of offices (S-025).
func (n *Node) checkRoles(ctx context.Context, _ Adapters) error {
	for _, store := range n.opened {
		err := store.CheckRole(ctx)
		if err != nil && n.Config.Production {
			return err
		}
		if err != nil {
			n.Warnings = append(n.Warnings, err.Error())
		}
	}
	return nil
}

// checkToken refuses to start with a token that is not there or holds other keys
// than those registered (S-063).
func (n *Node) checkToken(ctx context.Context, _ Adapters) error {
	if app := n.app(); app != nil && app.Token != nil {
		return app.Token.Check(ctx)
	}
	return nil
}

// join refuses a process more than was declared (L-02), and shows this one.
func (n *Node) join(ctx context.Context, _ Adapters) error {
	n.Self = topology.Node{
		Faces: strings.Join(n.Config.Faces, ","), Build: build(), Configuration: n.Config.digest(), Started: time.Now().UTC().Truncate(time.Millisecond),
	}
	app := n.app()
	if app == nil {
		return nil
	}
	leave, err := app.Store.Join(ctx, n.Self, n.Config.Nodes)
	if err == nil {
		n.ends = slices.Insert(n.ends, 0, leave)
	}
	return err
}

func (n *Node) app() *App {
	if n.Staff != nil {
		return n.Staff
	}
	return n.Jobs
}

// Nodes are the processes that serve the database now, as far as this one may
// know them: with the public face alone, itself.
func (n *Node) Nodes(ctx context.Context) ([]topology.Node, error) {
	if app := n.app(); app != nil {
		if list, err := app.Store.Nodes(ctx); err != nil || len(list) > 0 {
			return list, err
		}
	}
	return []topology.Node{n.Self}, nil
}

// Ping tells whether every database role answers.
func (n *Node) Ping(ctx context.Context) error {
	var errs []error
	for _, store := range n.opened {
		errs = append(errs, store.Ping(ctx))
	}
	return errors.Join(errs...)
}

// Close leaves the installation and closes the databases and tokens.
func (n *Node) Close() error {
	var errs []error
	for _, end := range n.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// checkFaces refuses an unknown face, one named twice, and ops alone: it watches
// the process that it stands in.
func checkFaces(list []string) error {
	for i, f := range list {
		if !slices.Contains(Faces, f) || slices.Contains(list[:i], f) {
			return fmt.Errorf("faces are %v, each once; not %q", Faces, f)
		}
	}
	if len(list) == 0 || len(list) == 1 && list[0] == "ops" {
		return errors.New("name at least one face beside ops")
	}
	return nil
}
