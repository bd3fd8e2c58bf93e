package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"akashi/test/outside"
	"akashi/test/storybook"
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

// Issue 6, section 2: every page of the route table in each state that applies to it
// (test/storybook/states.tsv: empty, error, long names, and those of what it is about) is
// read by axe by the rules of WCAG 2.2 AA, fits two screens, a tablet and 200 %, and
// shows words, not keys.
func TestEveryPage(t *testing.T) {
	got := outside.Pages(t, openStorybook(t))
	for _, f := range got.Faults {
		t.Errorf("error/%s", f)
	}
	for _, f := range missingStates(storybook.States(), got) {
		t.Errorf("error/%s", f)
	}
	if len(got.Trouble) != 0 {
		t.Errorf("error/trouble: %v", got.Trouble)
	}
	t.Logf("%d stories of %d pages", got.Stories, len(got.Pages))
}

// missingStates compares what was shown with the reviewed table.
func missingStates(table map[string][]string, got outside.Looked) (faults []string) {
	for _, page := range got.Pages {
		want, reviewed := table[page]
		if !reviewed {
			faults = append(faults, page+" is not in test/storybook/states.tsv")
		}
		for _, state := range want {
			if !slices.Contains(got.Shown[page].Words, state) {
				faults = append(faults, page+" has no story of "+state+": add it to a chapter of test/storybook")
			}
		}
		for _, state := range got.Shown[page].Own {
			if !slices.Contains(want, state) {
				faults = append(faults, page+" was seen "+state+", which test/storybook/states.tsv does not say")
			}
		}
	}
	for page := range table {
		if !slices.Contains(got.Pages, page) {
			faults = append(faults, page+" of test/storybook/states.tsv is no page")
		}
	}
	return faults
}

// A page without a line in the table, a state without a story, a state that nobody
// reviewed and a line without a page are told.
func TestMissingStates(t *testing.T) {
	shown := outside.Looked{Pages: []string{"/a"}, Shown: map[string]outside.Shown{"/a": {Words: []string{"filled", "running"}, Own: []string{"running"}}}}
	for name, c := range map[string]struct {
		table map[string][]string
		told  int
	}{
		"ok/all":                  {map[string][]string{"/a": {"filled", "running"}}, 0},
		"error/no line":           {map[string][]string{}, 2}, // nor is its state reviewed
		"error/no story":          {map[string][]string{"/a": {"filled", "running", "long"}}, 1},
		"error/state not in line": {map[string][]string{"/a": {"filled"}}, 1},
		"error/no page":           {map[string][]string{"/a": {"filled", "running"}, "/b": {"filled"}}, 1},
	} {
		if got := missingStates(c.table, shown); len(got) != c.told {
			t.Errorf("%s: %q", name, got)
		}
	}
}
