package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"akashi/internal/testkit"
	"akashi/test/outside"
	"akashi/test/storybook"
)

var update = flag.Bool("update", false, "write what was counted into docs/counter-times.md")

// Issue 6, section 3: work at the counter by keyboard is counted, and the first page weighed;
// a terminal that was left shows nothing.
func TestWorkInBrowser(t *testing.T) {
	got := outside.Work(t, openStorybook(t), map[string]string{
		"plain":   storybook.Zone("SAKURAI", "MIO", "TK0000077", "910218", "F", "320630"), // no certificate shows these passports
		"proxy":   storybook.Zone("SAKURAI", "MIO", "TK0000078", "910218", "F", "320630"),
		"anomaly": storybook.Zone("KANDA", "YUMI", "TK0000000", "690505", "F", "320630"),
	})
	if c := got.Counts["plain"]; c.Keys > 40 || c.Loads > 3 || c.Keys < 5 {
		t.Errorf("error/the plain case takes %d keys and %d pages", c.Keys, c.Loads)
	}
	for name, c := range got.Counts {
		if c.Copies != 1 && name != "alert" && name != "revoke" {
			t.Errorf("error/%s: %d copies were printed", name, c.Copies)
		}
	}
	t.Run("ok/docs", func(t *testing.T) { checkTimes(t, got.Counts); checkWeight(t, got) })
	if f := got.Files; !strings.Contains(f.Refused, "種類で「対象者」を選んでください") || !strings.Contains(f.Taken, "取込済み") || !strings.Contains(f.TooLarge, "大きすぎます") || !strings.HasPrefix(f.Saved, "log-900001-") {
		t.Errorf("error/files: %+v", f)
	}
	for _, at := range append(got.Idle, "") {
		if at != "" && !strings.HasSuffix(at, "/sign-in") || len(got.Idle) != 2 {
			t.Errorf("error/a terminal that was left shows %v", got.Idle)
		}
	}
	if !strings.Contains(got.Alert, "確認済み") || !strings.Contains(got.Revoke, "失効") || got.Kept != "stop" || len(got.Unseen) != 0 {
		t.Errorf("error/by keyboard: %q %q, focus %q, not seen %v", got.Alert, got.Revoke, got.Kept, got.Unseen)
	}
	if len(got.Covered) != 0 || !got.LeftPaper {
		t.Errorf("error/covered: %v; the paper of a terminal that was left is closed: %v", got.Covered, got.LeftPaper)
	}
	if len(got.Leaked)+len(got.Trouble) != 0 {
		t.Errorf("error/%v %v", got.Leaked, got.Trouble)
	}
	if w := got.Weight; w.Bytes > 150_000 || w.Requests > 6 {
		t.Errorf("error/the first page weighs %d bytes in %d requests", w.Bytes, w.Requests)
	}
}

// times are the lines of docs/counter-times.md that are counted.
var times = []struct{ name, words string }{
	{"plain", "Plain case: ticket and passport scanned, name typed, issued and printed"},
	{"anomaly", "Record with an anomaly (an earlier dose is missing): an approver gives a reason"},
	{"proxy", "By a spouse with a power of attorney, with an alternate surname"},
	{"reissue", "Issued again after a correction: the ID typed, the reason chosen, printed"},
	{"account", "An officer approves a request for an account"},
	{"import", "An officer takes in a file of records that another person brought"},
	{"alert", "An officer answers an alert about somebody's tries"},
	{"revoke", "An officer revokes a certificate with a reason"},
	{"mailing", "By mail: one application typed, its certificate issued, list, paper and label printed"},
	{"batch", "A file of applications: judged, what is right accepted, fetched with its errors"},
}

// checkTimes compares the docs with what was counted, or writes it there.
func checkTimes(t *testing.T, counts map[string]outside.Counted) {
	inDocs(t, func(text string) string {
		for _, c := range times {
			counted, ok := counts[c.name]
			if !ok {
				continue // another test counts it
			}
			line := fmt.Sprintf("| %s | %d | %d |", c.words, counted.Keys, counted.Loads)
			written := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(c.words) + ` \|.*$`)
			if now := written.FindString(text); now != line && !*update {
				t.Errorf("docs/counter-times.md says %q, counted was %q", now, line)
			}
			text = written.ReplaceAllLiteralString(text, line)
		}
		return text
	})
}

var weightLine = regexp.MustCompile(`(?m)^New application, cold: .*$`)

// checkWeight demands that the docs tell of the weight, or writes it there.
func checkWeight(t *testing.T, got outside.AtWork) {
	inDocs(t, func(text string) string {
		if !weightLine.MatchString(text) {
			t.Error("docs/counter-times.md has no line of the weight")
		}
		w := got.Weight
		return weightLine.ReplaceAllLiteralString(text, fmt.Sprintf("New application, cold: %d requests, %d KB, interactive after %d ms.", w.Requests, (w.Bytes+512)/1024, w.MS))
	})
}

// inDocs lets docs/counter-times.md be read, and written with -update.
func inDocs(t *testing.T, change func(text string) string) {
	path := filepath.Join(testkit.Root(t), "docs", "counter-times.md")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := change(string(file)); *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
