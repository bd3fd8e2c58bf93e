package main

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"akashi/internal/testkit"
)

// A process with TEST_SEALED is killed by the kernel when it asks for a socket,
// whatever for: the filter is set before the program is run again in its place.
func init() {
	if os.Getenv("TEST_SEALED") != "1" {
		return
	}
	runtime.LockOSThread()
	err := errors.Join(os.Unsetenv("TEST_SEALED"), refuseSockets())
	if err == nil {
		err = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "cannot be sealed:", err)
	os.Exit(99)
}

// refuseSockets is a filter of seccomp(2), which needs no privilege.
func refuseSockets() error {
	arch := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	const load, equal, above, end = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	program := []unix.SockFilter{
		{Code: load, K: 4}, // the architecture
		{Code: equal, K: arch, Jf: 5},
		{Code: load, K: 0}, // the call
		{Code: above, K: 1 << 30, Jt: 3},
		{Code: equal, K: unix.SYS_SOCKET, Jt: 2},
		{Code: equal, K: unix.SYS_IO_URING_SETUP, Jt: 1}, // which would open them unseen
		{Code: end, K: unix.SECCOMP_RET_ALLOW},
		{Code: end, K: unix.SECCOMP_RET_KILL_PROCESS},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	rules := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&rules))); e != 0 {
		return e
	}
	return nil
}

// lure is an address on this machine that counts who comes.
func lure(t *testing.T) (url string, came *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	came = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String(), came
}

// baits are files that name an address where a verifier could be led to fetch
// something: each recipe of jws-hostile.json, and further ones.
func baits(t *testing.T, url string) (files []string) {
	t.Helper()
	var recipes []struct {
		ID     string
		Change json.RawMessage `json:"header_or_payload"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/own/jws-hostile.json"), &recipes); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, r := range recipes {
		change := map[string]any{}
		if json.Unmarshal(r.Change, &change) == nil {
			texts[r.ID] = jws(t, url, change)
		}
	}
	for name, change := range map[string]map[string]any{
		"x5u": {"alg": "ES256", "zip": "DEF", "kid": "k", "x5u": url + "/x5u"}, "kid": {"alg": "ES256", "zip": "DEF", "kid": url + "/kid"},
		"iss": {"iss": url}, "vct": {"iss": url, "credentialStatus": map[string]any{"id": url + "/status", "type": "StatusList2021Entry"}},
	} {
		texts["further-"+name] = jws(t, url, change)
	}
	texts["shlink"] = "shlink:/" + base64.RawURLEncoding.EncodeToString([]byte(`{"url":"`+url+`/manifest","key":"`+strings.Repeat("A", 43)+`","flag":"U"}`))
	texts["viewer"] = url + "/#" + texts["shlink"]
	texts["address"] = url
	texts["vdsnc"] = `{"data":{"hdr":{"t":"icao.vacc","v":1,"is":"UTO"},"msg":{"uvci":"` + url + `"}},"sig":{"alg":"ES256","x5u":"` + url + `","cer":"AA","sigvl":"AA"}}`
	dir := t.TempDir()
	for name, text := range texts {
		file := filepath.Join(dir, name+".txt")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "https://example.invalid", url)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// jws is a card with a change of its header, or of its claims, and 64 bytes for a signature.
func jws(t *testing.T, url string, change map[string]any) string {
	t.Helper()
	header := map[string]any{"alg": "ES256", "zip": "DEF", "kid": "k"}
	claims := map[string]any{"iss": url, "nbf": 1, "vc": map[string]any{"type": []string{"https://smarthealth.cards#health-card"}}}
	if _, claim := change["iss"]; claim {
		maps.Copy(claims, change)
	} else {
		header = change
	}
	var zipped bytes.Buffer
	w, err := flate.NewWriter(&zipped, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.NewEncoder(w).Encode(claims), w.Close()); err != nil {
		t.Fatal(err)
	}
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	e := base64.RawURLEncoding.EncodeToString
	text := e([]byte(strings.ReplaceAll(string(h), "https://example.invalid", url))) + "." + e(zipped.Bytes()) + "." + e(bytes.Repeat([]byte{1}, 64))
	return text
}

// S-006, S-070: every vector that there is, and baits, through `akashi verify` in a
// process that dies with its first socket, and in a network without a route: the
// same verdicts, and nobody came.
func TestVerifyAsksNobody(t *testing.T) {
	url, came := lure(t)
	files, naming := baits(t, url), 0
	err := filepath.WalkDir(testkit.Shared(t, "."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("http://")) || bytes.Contains(text, []byte("https://")) {
			naming++
		}
		files = append(files, path)
		return err
	})
	if err != nil || len(files) < 500 || naming < 100 {
		t.Fatalf("%d files, %d name an address; %v", len(files), naming, err)
	}
	data := t.TempDir()
	run := func(change func(*exec.Cmd), args ...string) (string, syscall.WaitStatus, error) {
		cmd := exec.Command("/proc/self/exe", args...)
		cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+data)
		change(cmd)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			return "", 0, err // it did not start
		}
		return string(out), cmd.ProcessState.Sys().(syscall.WaitStatus), nil
	}
	verify := append([]string{"verify", "--json"}, files...)
	open := func(*exec.Cmd) {}
	sealed := func(c *exec.Cmd) { c.Env = append(c.Env, "TEST_SEALED=1") }
	apart := func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	want, status, err := run(open, verify...)
	if err != nil || status.ExitStatus() != 1 || strings.Count(want, "\n") < len(files) {
		t.Fatalf("%v, status %d, %d verdicts of %d files", err, status.ExitStatus(), strings.Count(want, "\n"), len(files))
	}
	if out, status, err := run(sealed, verify...); err != nil || out != want || status.ExitStatus() != 1 {
		t.Errorf("without sockets: %v, status %d, signal %v, the same: %t", err, status.ExitStatus(), status.Signal(), out == want)
	}
	if out, status, err := run(apart, verify...); err != nil {
		t.Logf("no network of its own can be made here: %v", err)
	} else if out != want || status.ExitStatus() != 1 {
		t.Errorf("without a route: status %d, the same: %t", status.ExitStatus(), out == want)
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	// What does connect is seen by each of the means.
	connect := []string{"sign-in", "--url", url, "--setup", url + "/setup#x", "--jar", filepath.Join(data, "jar")}
	if out, status, err := run(sealed, connect...); err != nil || status.Signal() != syscall.SIGSYS {
		t.Errorf("error/a socket: %v, status %d, signal %v: %s", err, status.ExitStatus(), status.Signal(), out)
	}
	if _, _, err := run(open, connect...); err != nil || came.Load() == 0 {
		t.Errorf("error/a connection was not seen: %v", err)
	}
}
