package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"akashi/test/outside"
)

// S-010, S-022, R-168: in a real browser, with the policy of the pages enforced, a
// newcomer follows a set-up link, sets password and passkey, reads the reminder and
// is signed in; what goes wrong is told in both languages.
func TestPagesInBrowser(t *testing.T) {
	p := start(t, t.TempDir())
	b, err := os.ReadFile(filepath.Join(p.data, "test-setup-links.json"))
	if err != nil {
		t.Fatal(err)
	}
	var links map[string]string
	if err := json.Unmarshal(b, &links); err != nil {
		t.Fatal(err)
	}
	const user = "900001-officer1"
	got := outside.SignIn(t, p.origin, links[user], user, "長い合言葉は覚えやすくて安全です")
	if got.Address != p.origin+"/setup" {
		t.Errorf("ok/the link stays in the address: %s", got.Address)
	}
	for name, c := range map[string]struct {
		outside.Said
		ja, en string
	}{
		"short password": {got.Short, "15", "15"}, "set up": {got.SetUp, user, user + " is set up"},
		"wrong password": {got.Wrong, "違う", "wrong"}, "reminder": {got.Reminder, "記録されます", "recorded"},
		"signed in": {got.SignedIn, "新しい申請", "New application"}, "used link": {got.Used, "リンク", "link"},
	} {
		if !strings.Contains(c.JA, c.ja) || !strings.Contains(c.EN, c.en) || c.Page != "ja" {
			t.Errorf("%s: %+v", name, c.Said)
		}
	}
	if !slices.Equal(got.Passkeys, []int{0, 1}) {
		t.Errorf("ok/passkeys on the device: %v", got.Passkeys)
	}
	if got.Account.User != user || got.Account.Role != "officer" {
		t.Errorf("ok/account: %+v", got.Account)
	}
	if want := []string{"__Host-akashi true true Strict", "__Host-akashi-terminal true true Strict"}; !slices.Equal(got.Cookies, want) {
		t.Errorf("ok/cookies: %v", got.Cookies)
	}
	if len(got.Trouble) != 0 {
		t.Errorf("error/trouble: %v", got.Trouble)
	}
}
