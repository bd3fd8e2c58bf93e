package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"akashi/migrations"
)

// Database is an empty PostgreSQL database of one test, as each of the roles of
// migrations/roles.sql reaches it. None of them is a superuser or has BYPASSRLS;
// all but the owner, who runs the migrations, have only what they are granted.
type Database struct {
	OwnerURL, StaffURL, PublicURL, SignerURL, JobsURL string
}

// Postgres returns a fresh database, dropped when the test ends. It lies in a
// cluster of this process, which starts with the first call and ends with the
// process, however that ends. Options for the server, such as "-c fsync=off",
// are taken from AKASHI_TEST_POSTGRES.
func Postgres(t testing.TB) Database {
	t.Helper()
	server, err := cluster()
	if errors.Is(err, exec.ErrNotFound) {
		Missing(t, "PostgreSQL 15")
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	d, err := server.database(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.run("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return d
}

// database makes an empty one that every role reaches.
func (s postgresServer) database(name string) (Database, error) {
	return Database{
			OwnerURL: s.url("akashi_owner", name), StaffURL: s.url("akashi_staff", name), PublicURL: s.url("akashi_public", name),
			SignerURL: s.url("akashi_signer", name), JobsURL: s.url("akashi_jobs", name),
		}, s.run(
			"CREATE DATABASE "+name+" OWNER akashi_owner",
			"REVOKE ALL ON DATABASE "+name+" FROM PUBLIC",
			"GRANT CONNECT ON DATABASE "+name+" TO "+strings.Join(migrations.RoleNames, ", "),
		)
}

// Analyze counts what the tables hold, as the server does by itself within a
// minute: the plans of a benchmark are then those of a database in use.
func (d Database) Analyze(t testing.TB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

var (
	cluster   = sync.OnceValues(startCluster)
	databases atomic.Int64
)

type postgresServer struct {
	port int
	dir  string
	// lifeline is this process's end of the pipe that endWithProcess watches; the
	// garbage collector would close it without this reference.
	lifeline io.Closer
	command  func(string, ...string) *exec.Cmd
	bin      string
	options  string // further ones
}

func (s postgresServer) url(role, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(role),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (s postgresServer) run(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func startCluster() (postgresServer, error) { return startWith(os.Getenv("AKASHI_TEST_POSTGRES")) }

func startWith(options string) (postgresServer, error) {
	bin, err := postgresBin()
	if err != nil {
		return postgresServer{}, err
	}
	account, err := serverAccount()
	if err != nil {
		return postgresServer{}, err
	}
	dir, err := os.MkdirTemp("", "akashi-postgres-")
	if err != nil {
		return postgresServer{}, err
	}
	if account != nil {
		if err := os.Chown(dir, int(account.Uid), int(account.Gid)); err != nil {
			return postgresServer{}, err
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: account}
		return cmd
	}
	lifeline, err := endWithProcess(command, bin, dir)
	if err != nil {
		return postgresServer{}, err
	}
	data := filepath.Join(dir, "data")
	initdb := command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	if out, err := initdb.CombinedOutput(); err != nil {
		return postgresServer{}, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	server := postgresServer{dir: dir, lifeline: lifeline, command: command, bin: bin, options: options}
	if err := server.startSomewhere(); err != nil {
		return postgresServer{}, err
	}
	return server, server.run(migrations.Roles)
}

// endWithProcess starts a shell that waits for the end of this process, which
// closes the pipe it reads, and then stops the server and removes its folder.
func endWithProcess(command func(string, ...string) *exec.Cmd, bin, dir string) (io.Closer, error) {
	const script = `cat; "$1" -D "$2/data" -m immediate stop; rm -rf "$2"`
	watcher := command("/bin/sh", "-c", script, "sh", filepath.Join(bin, "pg_ctl"), dir)
	pipe, err := watcher.StdinPipe()
	if err != nil {
		return nil, err
	}
	return pipe, watcher.Start()
}

// startSomewhere tries a few ports: a free one may be taken before the server has it.
func (s *postgresServer) startSomewhere() error {
	var failures []error
	for range 5 {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.port = port
		if err = s.start(); err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (s *postgresServer) start() error {
	log := filepath.Join(s.dir, fmt.Sprintf("log-%d", s.port))
	options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=300 %s", s.port, s.dir, s.options)
	if err := s.command(filepath.Join(s.bin, "pg_ctl"), "-D", filepath.Join(s.dir, "data"), "-w", "-l", log, "-o", options, "start").Run(); err != nil {
		said, _ := os.ReadFile(log)
		return fmt.Errorf("PostgreSQL on port %d: %w\n%s", s.port, err, said)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// postgresBin returns the folder of initdb and pg_ctl: Debian's, or that of the
// initdb on the path.
func postgresBin() (string, error) {
	const debian = "/usr/lib/postgresql/15/bin"
	if _, err := os.Stat(filepath.Join(debian, "initdb")); err == nil {
		return debian, nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", err
	}
	return filepath.Dir(initdb), nil
}

// serverAccount returns whom the server runs as: PostgreSQL refuses root.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", exec.ErrNotFound, err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Server is a PostgreSQL server of one test, which the test may kill. Its database
// is as that of Postgres.
type Server struct {
	Database
	server postgresServer
}

// killable spares the server the fsync of every file that it does after a kill: what
// a killed process has written is not lost, only a machine without power loses it.
const killable = " -c fsync=off"

// OwnPostgres starts a server of its own for the test.
func OwnPostgres(t testing.TB) *Server {
	t.Helper()
	server, err := startWith(os.Getenv("AKASHI_TEST_POSTGRES") + killable)
	if errors.Is(err, exec.ErrNotFound) {
		Missing(t, "PostgreSQL 15")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.lifeline.Close() })
	d, err := server.database("own")
	if err != nil {
		t.Fatal(err)
	}
	return &Server{d, server}
}

// Kill ends the postmaster with SIGKILL, and with it, sooner or later, its children.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.server.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// Start starts the server again where it was.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	var err error
	for range 100 { // its children may still hold the shared memory
		if err = s.server.start(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal(err)
}
