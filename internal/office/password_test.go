package office

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/seal"
)

func plainPepper(_, password string) []byte { return []byte(password) }

// S-012: argon2id of the parameters that are written; the value is that of the
// reference program: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32.
func TestArgon2KnownAnswer(t *testing.T) {
	got := argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 64<<10, 1, 32)
	if want := "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"; hex.EncodeToString(got) != want {
		t.Errorf("%x", got)
	}
	h := NewHasher(plainPepper, idgen.Gen{})
	text, err := h.Hash(t.Context(), "900001", "password")
	if err != nil || !strings.HasPrefix(text, "$argon2id$v=19$m=47104,t=2,p=1$") {
		t.Fatalf("%s %v", text, err)
	}
	p, ok := parsePHC(text)
	if !ok || len(p.salt) != 16 || len(p.tag) != 32 || p.String() != text {
		t.Errorf("%+v", p)
	}
}

// S-012: the pepper stands outside the database, and is another one in each office.
func TestPepper(t *testing.T) {
	one, other := seal.NewRing(), seal.NewRing()
	h := NewHasher(one.Pepper, idgen.Gen{})
	text, err := h.Hash(t.Context(), "900001", "とても長い合言葉")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ring             *seal.Ring
		office, password string
		same             bool
	}{
		"ok": {one, "900001", "とても長い合言葉", true}, "ok/composed otherwise": {one, "900001", "とても長い合言葉", true},
		"error/wrong": {one, "900001", "とても長い合言葉 ", false}, "error/other key": {other, "900001", "とても長い合言葉", false}, "error/other office": {one, "900010", "とても長い合言葉", false},
	} {
		same, stale, err := NewHasher(c.ring.Pepper, idgen.Gen{}).Compare(t.Context(), c.office, c.password, text)
		if err != nil || same != c.same || stale {
			t.Errorf("%s: %v %v %v", name, same, stale, err)
		}
	}
}

// S-012: what was hashed with less work is accepted down to the floor and then hashed anew.
func TestStale(t *testing.T) {
	h := NewHasher(plainPepper, idgen.Gen{})
	make1 := func(c Cost) string {
		salt := make([]byte, saltSize)
		return phc{c, salt, argon2.IDKey([]byte("secret"), salt, c.Passes, c.Memory, c.Threads, tagSize)}.String()
	}
	for name, c := range map[string]struct {
		cost        Cost
		same, stale bool
	}{
		"ok/present": {hashCost, true, false}, "ok/floor": {floorCost, true, true},
		"error/memory below the floor": {Cost{floorCost.Memory - 1, 2, 1}, false, false}, "error/passes below the floor": {Cost{hashCost.Memory, 1, 1}, false, false},
	} {
		same, stale, err := h.Compare(t.Context(), "900001", "secret", make1(c.cost))
		if err != nil || same != c.same || stale != c.stale {
			t.Errorf("%s: %v %v %v", name, same, stale, err)
		}
	}
	for _, bad := range []string{"", "x", "$argon2i$v=19$m=47104,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=47104,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if _, ok := parsePHC(bad); ok {
			t.Errorf("error/%s: accepted", bad)
		}
	}
}

// S-012: of 200 sign-ins at once at most four hash, with 46 MiB each: 184 MiB.
func TestHashesAtOnce(t *testing.T) {
	var running, most, memory atomic.Int64
	h := NewHasher(plainPepper, idgen.Gen{})
	h.Derive = func(_, _ []byte, _, m uint32, _ uint8, size uint32) []byte {
		n := running.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		memory.Store(int64(m) << 10)
		time.Sleep(time.Millisecond) // let the others come
		running.Add(-1)
		return make([]byte, size)
	}
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if _, _, err := h.Compare(t.Context(), "900001", "x", ""); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most.Load() != hashesAtOnce || most.Load()*memory.Load() >= 256<<20 {
		t.Errorf("%d hashes at once, %d bytes", most.Load(), most.Load()*memory.Load())
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range hashesAtOnce {
		h.slots <- struct{}{}
	}
	if _, _, err := h.Compare(gone, "900001", "x", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("who is gone still waits: %v", err)
	}
}

// S-013.
func TestCheckPassword(t *testing.T) {
	for name, password := range map[string]string{
		"fifteen": "xk vjq wp zrm b", "long": strings.Repeat("雨の日に傘を忘れて走って帰る道", 8), "words": "drummer lentil saucer pavement", "japanese": "雨の日に傘を忘れて走って帰る道",
		"emoji": "🦊🐢 森のきつねと亀が競走する話", "no letter": "7306 8842 1957 604", "one of a kind of space": "xk　vjq　wp　zrm　b",
	} {
		if err := CheckPassword(password, "900001-hanako", "架空県証市", "Akashi City"); err != nil {
			t.Errorf("ok/%s: %v", name, err)
		}
	}
	for password, key := range map[string]string{
		"": "password_short", "xk vjq wp zrm": "password_short", strings.Repeat("x", 129): "password_long",
		"passwordpassword": "password_common", "Password1234567": "password_common", "PASSWORD!!!!!!!": "password_common", "ｐａｓｓｗｏｒｄ１２３４５６７８": "password_common",
		"123456789012345": "password_common", "aaaaaaaaaaaaaaa": "password_common", "abababababababab": "password_common", "qwertyuiopasdfghjkl": "password_common",
		"パスワードパスワードパスワード": "password_common", "correct horse battery staple": "password_common",
		"my 900001-hanako is me": "password_name", "HANAKO says xk vjq wp": "password_name", "I love Akashi  City very": "password_name", "架空県証市の職員です、こんにちは皆さん": "password_name",
		"\xff\xfe\xfd aaaaaaaaaaaaaaaaaa": "json_text",
	} {
		var f *fault.Error
		if err := CheckPassword(password, "900001-hanako", "架空県証市", "Akashi City"); !errors.As(err, &f) || f.Key != key || strings.Contains(err.Error(), password) && password != "" {
			t.Errorf("error/%q: %v, want %s", password, err, key)
		}
	}
}

// S-015: 1 s after the fifth failure, doubling up to 15 minutes.
func TestWaitAfter(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 14: 512 * time.Second, 15: 15 * time.Minute, 100: 15 * time.Minute, 1 << 20: 15 * time.Minute} {
		if got := waitAfter(failures); got != want {
			t.Errorf("%d: %v, want %v", failures, got, want)
		}
	}
}
