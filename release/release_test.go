package release

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"akashi/internal/testkit"
)

// Exposure of the unit by systemd's own measure, times ten: 12 is 1.2 of 10.
const exposure = "--threshold=12"

// Issue 4, section 6: the unit is tight, and one line less would be noticed.
func TestUnit(t *testing.T) {
	analyze := testkit.Tool(t, "systemd-analyze")
	text, err := os.ReadFile("akashi.service")
	if err != nil {
		t.Fatal(err)
	}
	judge := func(unit []byte) (string, error) {
		file := filepath.Join(t.TempDir(), "akashi.service")
		if err := os.WriteFile(file, unit, 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := exec.Command(analyze, "security", "--offline=true", exposure, file).CombinedOutput()
		return string(said), err
	}
	if said, err := judge(text); err != nil {
		t.Errorf("ok: %v\n%s", err, said)
	}
	for _, line := range []string{"SystemCallFilter=", "CapabilityBoundingSet=", "RestrictNamespaces="} {
		loose := regexp.MustCompile(`(?m)^`+line+`.*\n`).ReplaceAll(text, nil)
		if bytes.Equal(loose, text) {
			t.Fatalf("the unit has no %s", line)
		}
		if _, err := judge(loose); err == nil {
			t.Errorf("error/without %s: not noticed", line)
		}
	}
}

// Issue 4, section 6: the program starts and is ready in an empty root, as in
// the image: no shell, no libc, no certificates, no time zones. The image says
// the same and more.
func TestEmptyRoot(t *testing.T) {
	root := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(root, "akashi"), "../cmd/akashi")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := os.Mkdir(filepath.Join(root, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Chroot: root}
	if os.Geteuid() == 0 {
		const nobody = 65532
		for _, dir := range []string{root, filepath.Dir(root)} {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(filepath.Join(root, "data"), nobody, nobody); err != nil {
			t.Fatal(err)
		}
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	} else {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	var log bytes.Buffer
	cmd := &exec.Cmd{
		Path: "/akashi", Args: []string{"/akashi", "serve"}, Dir: "/", SysProcAttr: attr, Stderr: &log,
		Env: []string{"AKASHI_DATA=/data", "AKASHI_STAFF_ADDR=127.0.0.1:0", "AKASHI_PUBLIC_ADDR=127.0.0.1:0", "AKASHI_OPS_ADDR=127.0.0.1:0"},
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	ops, lines := "", bufio.NewScanner(out)
	for ops == "" && lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == "ops" {
			ops = f[1]
		}
	}
	if ops == "" {
		t.Fatalf("does not start: %s", &log)
	}
	answer, err := http.Get(ops + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("not ready: %s", answer.Status)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("does not stop well: %v %s", err, &log)
	}
}
