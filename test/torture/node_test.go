package torture

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"akashi/internal/testkit"
)

// full tells whether the full forms are asked for.
func full() bool { return os.Getenv("AKASHI_TORTURE") == "full" }

// of chooses between the short and the full form.
func of[T any](short, long T) T {
	if full() {
		return long
	}
	return short
}

// together lets the short forms, which wait more than they work, run beside each
// other; the full ones are measured alone.
func together(t *testing.T) {
	if !full() {
		t.Parallel()
	}
}

func TestMain(m *testing.M) {
	status := m.Run()
	if programDir != "" {
		_ = os.RemoveAll(programDir)
	}
	os.Exit(status)
}

var programDir string

// program builds the server once for all tests.
var program = sync.OnceValues(func() (string, error) {
	var err error
	if programDir, err = os.MkdirTemp("", "akashi-torture-"); err != nil {
		return "", err
	}
	return buildIn(filepath.Join("..", ".."), filepath.Join(programDir, "akashi"))
})

func buildIn(source, to string) (string, error) {
	build := exec.Command("go", "build", "-o", to, "./cmd/akashi") // with the settings of go test, which has most of it built
	build.Dir = source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return to, nil
}

// node is one `akashi serve`, which is started again and again over the same data.
type node struct {
	earlier bool // an earlier version, which knows neither sign-in nor its setting
	binary  string
	data    string
	environ []string
	cmd     *exec.Cmd
	faces   map[string]string // face to base URL
	log     lockedBuffer
}

func newNode(t *testing.T, data string, environ ...string) *node {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	n := &node{binary: binary, data: data, environ: environ}
	t.Cleanup(func() { n.signal(syscall.SIGCONT); n.kill() })
	return n
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// tail is the end of the log, for a message.
func (l *lockedBuffer) tail() string {
	s := l.String()
	return s[max(0, len(s)-2000):]
}

// settings is the environment of a command of this installation.
func (n *node) settings() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AKASHI_") {
			kept = append(kept, e)
		}
	}
	kept = append(kept, "AKASHI_DATA="+n.data, "AKASHI_STAFF_ADDR=127.0.0.1:0", "AKASHI_PUBLIC_ADDR=127.0.0.1:0", "AKASHI_OPS_ADDR=127.0.0.1:0",
		"AKASHI_RECOVER_AGE=1s", "GOGC=400")
	if !n.earlier {
		kept = append(kept, "AKASHI_STAFF_ORIGIN="+origin)
	}
	return append(kept, n.environ...)
}

var faceLine = regexp.MustCompile(`^\s+(staff|public|ops)\s+(https?://\S+)`)

// up starts the process and waits for its faces.
func (n *node) up() error {
	cmd := exec.Command(n.binary, "serve")
	cmd.Env, cmd.Stderr = n.settings(), &n.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.cmd = cmd
	faces := map[string]string{}
	lines := bufio.NewScanner(out)
	for len(faces) < 3 && lines.Scan() {
		if m := faceLine.FindStringSubmatch(lines.Text()); m != nil {
			faces[m[1]] = m[2]
		}
	}
	if len(faces) < 3 {
		n.kill()
		return errors.New("the server did not start: " + n.log.tail())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	n.faces = faces
	return nil
}

func (n *node) start(t *testing.T) {
	t.Helper()
	if err := n.up(); err != nil {
		t.Fatal(err)
	}
}

func (n *node) signal(s syscall.Signal) {
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(s)
	}
}

// kill ends the process with SIGKILL and waits for its end.
func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	n.signal(syscall.SIGKILL)
	_ = n.cmd.Wait()
	n.cmd = nil
}

// run runs another command of the program over the same data.
func (n *node) run(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	out, status, err := n.command(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out, status
}

func (n *node) command(args ...string) (out string, status int, err error) {
	cmd := exec.Command(n.binary, args...)
	cmd.Env = n.settings()
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", 0, err
	}
	return string(b), cmd.ProcessState.ExitCode(), nil
}

// starve lets no file of the process grow beyond the size, as a full disk would;
// negative gives the room back.
func (n *node) starve(t *testing.T, size int64) {
	t.Helper()
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(n.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if size >= 0 {
		limit.Cur = uint64(size)
	}
	if err := unix.Prlimit(n.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// wire is a TCP connection to the database that can be cut.
type wire struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	open     map[net.Conn]bool
	down     bool
}

// newWire stands before the database of the URL and returns the URL that goes through it.
func newWire(t *testing.T, database string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, target: u.Host, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); w.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	u.Host = l.Addr().String()
	return w, u.String()
}

func (w *wire) carry(near net.Conn) {
	far, err := net.Dial("tcp", w.target)
	if err != nil || !w.keep(near, far) {
		_ = near.Close()
		return
	}
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			w.drop(near, far)
		}()
	}
}

func (w *wire) keep(both ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range both {
		if w.down {
			_ = c.Close()
			continue
		}
		w.open[c] = true
	}
	return !w.down
}

func (w *wire) drop(both ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range both {
		_ = c.Close()
		delete(w.open, c)
	}
}

// cut ends every connection at once, in the middle of whatever it carries.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
		delete(w.open, c)
	}
}

// cutOne ends one of the connections, whichever.
func (w *wire) cutOne() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
		delete(w.open, c)
		return
	}
}

// set lets no new connection through while down.
func (w *wire) set(down bool) {
	w.mu.Lock()
	w.down = down
	w.mu.Unlock()
	if down {
		w.cut()
	}
}

// database is where the nodes of a test keep their data.
type database struct {
	environ []string
	wire    *wire  // to PostgreSQL; nil for SQLite
	direct  string // URL past the wire
}

func onPostgres(t *testing.T) database {
	t.Helper()
	d := testkit.Postgres(t)
	w, staff := newWire(t, d.StaffURL)
	return database{[]string{"AKASHI_DATABASE_URL=" + staff, "AKASHI_MIGRATE_URL=" + d.OwnerURL}, w, d.OwnerURL}
}

func eventually(t *testing.T, what string, within time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}
