package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"akashi/test/outside"
)

// openStorybook serves the storybook and returns its origin.
func openStorybook(t *testing.T) (origin string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "storybook", "--address", "127.0.0.1:0")
	cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	origin, ok := strings.CutPrefix(strings.TrimSuffix(line, "/storybook\n"), "storybook at ")
	if !ok {
		_ = cmd.Wait()
		t.Fatalf("no storybook: %q %s", line, said.String())
	}
	return origin
}

// Issue 6, section 2: every page of the route table in each state (empty, error, long
// names) is read by axe by the rules of WCAG 2.2 AA, fits two screens, a tablet and
// 200 %, and shows words, not keys.
func TestEveryPage(t *testing.T) {
	got := outside.Pages(t, openStorybook(t))
	for _, f := range got.Faults {
		t.Errorf("error/%s", f)
	}
	if len(got.Unvisited) != 0 {
		t.Errorf("error/no story shows and no link leads to %v: add a chapter to test/storybook", got.Unvisited)
	}
	if len(got.Trouble) != 0 {
		t.Errorf("error/trouble: %v", got.Trouble)
	}
	t.Logf("%d stories of %d pages", got.Stories, len(got.Visited))
}
