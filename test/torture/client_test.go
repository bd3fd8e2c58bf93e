package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// officeCode is the invented office of a first start.
const officeCode = "900001"

// sign is how a request shows who sends it.
type sign func(*http.Request)

// staff is the two people of the invented office.
type staff struct{ clerk, officer sign }

// signIn is the one place that knows how people sign in.
func signIn(t *testing.T, n *node) staff { return keyHolders(t, n) }

// keyHolders are the two people with the keys of a first start.
func keyHolders(t *testing.T, n *node) staff {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.data, "test-staff-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []struct{ Key string }
	if err := json.Unmarshal(text, &keys); err != nil || len(keys) != 2 {
		t.Fatalf("staff keys: %v", err)
	}
	bearer := func(key string) sign {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	}
	return staff{bearer(keys[0].Key), bearer(keys[1].Key)}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status/100 == 2 }

func (r reply) get(name string) string {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	s, _ := m[name].(string)
	return s
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: 5 * time.Second}}

// ask sends a request; an error is no answer, whatever the reason.
func ask(ctx context.Context, by sign, method, url, media string, body []byte) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if by != nil {
		by(r)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	a, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = a.Body.Close() }()
	whole, err := io.ReadAll(a.Body)
	return reply{a.StatusCode, a.Header, whole}, err
}

// must is ask for requests that have to succeed.
func must(t *testing.T, by sign, method, url, media string, body []byte) reply {
	t.Helper()
	r, err := ask(t.Context(), by, method, url, media, body)
	if err != nil || !r.ok() {
		t.Fatalf("%s %s: %d %v %.300s", method, url, r.status, err, r.body)
	}
	return r
}

// bring puts people and their doses into the register, by two people.
func bring(t *testing.T, api string, who staff, people []person) {
	t.Helper()
	bringFiles(t, api, who, subjectsFile(people), recordsFile(people))
}

func bringFiles(t *testing.T, api string, who staff, subjects, records []byte) {
	t.Helper()
	for kind, file := range map[string][]byte{"subjects": subjects, "records": records} {
		staged := must(t, who.clerk, "POST", api+"/imports/"+kind, "text/csv", file)
		must(t, who.officer, "POST", api+"/imports/"+staged.get("id")+"/commit", "", nil)
	}
}

var errNotApproved = errors.New("not approved")

// apply takes an application of a person up to approval.
func apply(ctx context.Context, api string, by sign, p person, travel bool) (id string, err error) {
	r, err := ask(ctx, by, "POST", api+"/applications", "application/json", p.application(travel))
	if err != nil || !r.ok() {
		return "", errors.Join(err, r.problem())
	}
	id = r.get("id")
	r, err = ask(ctx, by, "POST", api+"/applications/"+id+"/submit", "", nil)
	if err != nil || !r.ok() {
		return id, errors.Join(err, r.problem())
	}
	if r.get("state") != "approved" {
		return id, fmt.Errorf("%w: %s", errNotApproved, r.body)
	}
	return id, nil
}

// refused is an answer that says no.
type refused struct {
	status int
	code   string
	body   string
}

func (r refused) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

func (r reply) problem() error {
	if r.status == 0 || r.ok() {
		return nil
	}
	return refused{r.status, r.get("code"), string(r.body)}
}
