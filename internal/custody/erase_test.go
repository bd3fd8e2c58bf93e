package custody_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/backup"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/store"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
	"akashi/migrations"
	"akashi/samples"
)

// granted approves everything but what it names, and remembers what was used.
type granted struct {
	refused string
	used    []string
}

func (g *granted) Use(_ context.Context, _ actor.Actor, kind, object string, _ map[string]string) error {
	if kind == g.refused {
		return fault.New(fault.Forbidden, "approval_needed", "")
	}
	g.used = append(g.used, kind+" "+object)
	return nil
}

// register looks a person up by ticket.
func register(t *testing.T, w *world.World, ticket string) (people []vaccination.Person, err error) {
	t.Helper()
	err = w.Log.Act(t.Context(), w.Clerk, audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		people, err = w.Store.Register(w.Clerk.Office).FindByTicket(ctx, ticket)
		return err
	})
	return people, err
}

// numbered is the sample subjects, each with an individual number of the canaries.
func numbered(t *testing.T) []byte {
	t.Helper()
	subjects, err := samples.Files.ReadFile("subjects.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(subjects)), "\n")
	for i, line := range lines {
		cells := strings.Split(line, ",")
		number := "individual_number"
		if i > 0 {
			number = canaries(t)[i-1]
		}
		lines[i] = strings.Join(slices.Insert(cells, 3, number), ",")
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

func canaries(t *testing.T) []string {
	t.Helper()
	var file struct{ Valid []string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &file); err != nil || len(file.Valid) < 12 {
		t.Fatal(err)
	}
	return file.Valid
}

// issued makes a certificate for the first sample person.
func issued(t *testing.T, w *world.World) (applicationID, certificateID string) {
	t.Helper()
	applicationID = w.Approved(t, certificate.Travel)
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, applicationID)
	if err != nil {
		t.Fatal(err)
	}
	return applicationID, i.Certificate.ID
}

func each(t *testing.T, test func(t *testing.T, w *world.World, d testkit.Database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, world.New(t, cli.Config{Data: t.TempDir()}), testkit.Database{}) })
	t.Run("postgres", func(t *testing.T) {
		d := testkit.Postgres(t)
		test(t, world.New(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)}), d)
	})
}

// backedUp is a backup: its two parts, which one identity opens.
type backedUp struct {
	identity   *age.X25519Identity
	data, keys bytes.Buffer
}

func backUp(t *testing.T, identity *age.X25519Identity, c cli.Config) *backedUp {
	t.Helper()
	b := &backedUp{identity: identity}
	writer := func(to *bytes.Buffer, part string) *backup.Writer {
		w, err := backup.NewWriter(to, backup.Header{Part: part, Schema: schema(t)}, identity.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	data, keys := writer(&b.data, backup.Data), writer(&b.keys, backup.Keys)
	if err := store.Backup(t.Context(), stored(c), data, keys); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*backup.Writer{data, keys} {
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// schema is the version that this program migrates to.
func schema(t *testing.T) int64 {
	t.Helper()
	files, err := fs.Glob(migrations.Files, "sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	version, err := strconv.ParseInt(strings.SplitN(filepath.Base(slices.Max(files)), "_", 2)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func stored(c cli.Config) store.Config {
	if c.DatabaseURL == "" {
		return store.Config{URL: filepath.Join(c.Data, "akashi.db")}
	}
	return store.Config{URL: string(c.DatabaseURL), MigrateURL: string(c.MigrateURL)}
}

// restored puts the data of one backup and the keys of another into a new
// database and returns how to open it, beside the same file key.
func restored(t *testing.T, c cli.Config, data, keys *backedUp) cli.Config {
	t.Helper()
	if c.DatabaseURL == "" || !strings.HasPrefix(string(c.DatabaseURL), "postgres") {
		c.DatabaseURL = cli.Secret(filepath.Join(t.TempDir(), "restored.db"))
	} else {
		d := testkit.Postgres(t)
		c.DatabaseURL, c.MigrateURL = cli.Secret(d.StaffURL), cli.Secret(d.OwnerURL)
	}
	reader := func(from []byte) *backup.Reader {
		r, err := backup.NewReader(bytes.NewReader(from), data.identity)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if _, err := store.Restore(t.Context(), stored(c), reader(data.data.Bytes()), reader(keys.keys.Bytes())); err != nil {
		t.Fatal(err)
	}
	return c
}

// reopen assembles the service over another database.
func reopen(t *testing.T, w *world.World, c cli.Config) {
	t.Helper()
	w.Config = c
	w.Open(t)
}

// S-076: who was erased cannot be read any more, neither here nor in a backup
// from before, whose keys come from a backup of their own; everybody else can.
func TestErase(t *testing.T) {
	each(t, func(t *testing.T, w *world.World, d testkit.Database) {
		applicationID, certificateID := issued(t, w)
		w.Bring(t, vaccination.Subjects, numbered(t))
		people, err := register(t, w, "0000000001")
		if err != nil || len(people) != 1 {
			t.Fatalf("%d people, %v", len(people), err)
		}
		personID, now := people[0].ID, w.Config
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		before := backUp(t, identity, now)
		by := w.Officer
		for name, g := range map[string]*granted{"no approval": {refused: "person.erase"}} {
			w.Custody.Approvals = g
			if _, err := w.Custody.Erase(t.Context(), by, personID); fault.CodeOf(err) != fault.Forbidden {
				t.Errorf("error/%s: %v", name, err)
			}
		}
		g := &granted{}
		w.Custody.Approvals = g
		if err := w.Custody.Hold(t.Context(), by, personID, "係争中"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Custody.Erase(t.Context(), by, personID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/held: %v", err)
		}
		if err := w.Custody.EndHolds(t.Context(), by, personID); err != nil {
			t.Fatal(err)
		}
		r, err := w.Custody.Erase(t.Context(), by, personID)
		if err != nil || r.Keys != 2 || r.Certificates != 1 || r.Rows < 3 {
			t.Fatalf("ok/erase: %+v %v", r, err)
		}
		if _, err := w.Custody.Erase(t.Context(), by, personID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/twice: %v", err)
		}
		gone := func(when string, here int) {
			t.Helper()
			if people, err := register(t, w, "0000000001"); err != nil || len(people) != here {
				t.Errorf("%s: %d people, %v", when, len(people), err)
			}
			_, readErr := w.Applications.Get(t.Context(), w.Clerk, applicationID)
			_, certErr := w.Issuance.Get(t.Context(), w.Clerk, certificateID)
			if here == 0 && (fault.CodeOf(readErr) != fault.NotFound || fault.CodeOf(certErr) != fault.NotFound) || here == 1 && (readErr != nil || certErr != nil) {
				t.Errorf("%s: application %v, certificate %v", when, readErr, certErr)
			}
			if people, err := register(t, w, "0000000002"); err != nil || len(people) != 1 || len(people[0].Doses) == 0 {
				t.Errorf("%s: somebody else: %d, %v", when, len(people), err)
			}
		}
		gone("erased", 0)
		list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Certificate.ID != certificateID || list[0].State != "issued" || list[0].Certificate.IssuedOn == "" {
			t.Errorf("ok/what stays of a certificate: %+v %v", list, err)
		}
		if i, err := w.Issuance.Revoke(t.Context(), w.Officer, certificateID, "fraud"); err != nil || i.State != issuance.Revoked || i.Certificate.ID != certificateID {
			t.Errorf("ok/a certificate of somebody erased is revoked: %+v %v", i, err)
		}
		if _, err := w.Issuance.Revoke(t.Context(), w.Officer, certificateID, "fraud"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/revoked twice: %v", err)
		}
		after := backUp(t, identity, now)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		reopen(t, w, restored(t, now, before, before))
		gone("control: an old backup with its keys opens", 1)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		reopen(t, w, restored(t, now, before, after))
		gone("old data, later keys", 0)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// S-092: numbers brought by a file, entered at the counter, refused, issued for and
// printed beside stand nowhere but in the vault's ciphertext.
func TestCanaries(t *testing.T) {
	each(t, func(t *testing.T, w *world.World, d testkit.Database) {
		var said bytes.Buffer // what a person or a log could see
		say := func(v any, err error) {
			text, _ := json.Marshal(v)
			_, _ = fmt.Fprintf(&said, "%s %+v %v\n", text, v, err)
		}
		numbers := canaries(t)
		for _, file := range [][]byte{
			numbered(t),
			bytes.ReplaceAll(numbered(t), []byte(numbers[0]), []byte(numbers[1])),         // twice in a file
			bytes.ReplaceAll(numbered(t), []byte(","+numbers[2]), []byte(numbers[2]+",")), // in another column
			bytes.ReplaceAll(numbered(t), []byte(numbers[3]), []byte(numbers[3]+"x")),
			append(numbered(t), []byte("900001,0000000099,199999,"+numbers[4]+",新井,新,アライ,アラタ,1990-01-01,1,resident,\n")...),
			[]byte(strings.Join(numbers, "\n")),
		} {
			i, err := w.Imports.Stage(t.Context(), w.Clerk, vaccination.Subjects, file, nil)
			say(i, err)
			if err == nil && i.State == vaccination.ImportStaged {
				say(w.Imports.Commit(t.Context(), w.Officer, i.ID))
			}
			i, err = w.Imports.Stage(t.Context(), w.Clerk, vaccination.Records, file, nil)
			say(i, err)
		}
		form := world.Form(certificate.Domestic)
		form.Subject.Ticket, form.Subject.Name, form.Documents = "", certificate.Name{Family: "Sakurai"}, []string{"my_number_card"}
		app, err := w.Applications.Create(t.Context(), w.Clerk, form, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Applications.Submit(t.Context(), w.Clerk, app.ID); err != nil {
			t.Fatal(err)
		}
		people, err := register(t, w, "0000000001")
		if err != nil || len(people) != 1 {
			t.Fatalf("%v %v", people, err)
		}
		for _, text := range append(numbers[1:3:3], numbers[0]) {
			n, err := vault.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			app, answer, err := w.Applications.EnterNumber(t.Context(), w.Clerk, app.ID, vault.Entry{Number: n, Items: people[0].Subject.Items()})
			say(answer, err)
			say(app.Form, nil)
			if text == numbers[0] && (err != nil || answer.PersonID != people[0].ID || app.State == application.Rejected) {
				t.Errorf("ok/entered: %+v %v", answer, err)
			}
		}
		_, certificateID := issued(t, w)
		pdf, copies, err := w.Issuance.Print(t.Context(), w.Clerk, []string{certificateID}, nil)
		say(copies, err)
		said.Write(pdf)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		artefacts := map[string][]byte{"said": said.Bytes(), "database": dump(t, w)}
		if d.OwnerURL == "" {
			files, err := filepath.Glob(filepath.Join(w.Config.Data, "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if b, err := os.ReadFile(f); err == nil {
					artefacts[filepath.Base(f)] = b
				}
			}
		}
		for name, b := range artefacts {
			for _, n := range numbers {
				for _, form := range forms(n) {
					if bytes.Contains(b, []byte(form)) {
						t.Errorf("error/%s holds a number as %.12s…", name, form)
					}
				}
			}
		}
		if !bytes.Contains(artefacts["database"], []byte("subjects-number-v1")) || len(pdf) < 1000 {
			t.Error("the test looked at nothing")
		}
	})
}

// forms are the ways in which the canary file says that a number may leak.
func forms(n string) []string {
	wide := ""
	for _, d := range n {
		wide += string(d - '0' + '０')
	}
	sum := sha256.Sum256([]byte(n))
	return []string{
		n, n[:4] + "-" + n[4:8] + "-" + n[8:], n[:4] + " " + n[4:8] + " " + n[8:], wide, url.QueryEscape(wide),
		base64.StdEncoding.EncodeToString([]byte(n)), hex.EncodeToString([]byte(n)), hex.EncodeToString(sum[:]), string(sum[:]),
	}
}

// dump is every row of every table as text.
func dump(t *testing.T, w *world.World) []byte {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	b := backUp(t, identity, w.Config)
	var out bytes.Buffer
	for _, part := range [][]byte{b.data.Bytes(), b.keys.Bytes()} {
		r, err := backup.NewReader(bytes.NewReader(part), identity)
		if err != nil {
			t.Fatal(err)
		}
		for {
			chunk, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range chunk.Rows {
				for _, c := range row {
					_, _ = fmt.Fprintf(&out, "%s %x|", c, c)
				}
			}
		}
	}
	return out.Bytes()
}

// S-029: with the four-eyes rule itself: asked by one, approved by another, used once.
func TestFourEyes(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.Custody.Settle = func(context.Context) error { return nil }
		officer := func(id string) actor.Actor {
			return actor.Actor{Office: w.Officer.Office, Person: id, Terminal: "test", Purpose: actor.Operate,
				Permissions: office.Officer.Permissions(), SteppedUp: w.Clock.Now()}
		}
		operator := officer("operator")
		operator.Permissions = office.Operator.Permissions()
		people, err := register(t, w, "0000000001")
		if err != nil || len(people) != 1 {
			t.Fatal(err)
		}
		for _, act := range []struct {
			kind   office.Kind
			object string
			do     func() error
		}{
			{office.RekeyVault, "wrap", func() error { _, err := w.Custody.Rotate(t.Context(), operator, seal.Wrap); return err }},
			{office.RekeyVault, "file-key", func() error { _, err := w.Custody.Rewrap(t.Context(), operator); return err }},
			{office.Erase, people[0].ID, func() error { _, err := w.Custody.Erase(t.Context(), operator, people[0].ID); return err }},
		} {
			if err := act.do(); fault.CodeOf(err) != fault.Forbidden {
				t.Errorf("error/%s without approval: %v", act.object, err)
			}
			p, err := w.Approvals.Request(t.Context(), officer("one"), act.kind, act.object, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := act.do(); fault.CodeOf(err) != fault.Forbidden {
				t.Errorf("error/%s not yet approved: %v", act.object, err)
			}
			if _, err := w.Approvals.Approve(t.Context(), officer("one"), p.ID, ""); fault.CodeOf(err) != fault.Forbidden {
				t.Errorf("error/%s approved by the same person: %v", act.object, err)
			}
			if _, err := w.Approvals.Approve(t.Context(), officer("two"), p.ID, ""); err != nil {
				t.Fatal(err)
			}
			if err := act.do(); err != nil {
				t.Errorf("ok/%s: %v", act.object, err)
			}
			if err := act.do(); fault.CodeOf(err) != fault.Conflict {
				t.Errorf("error/%s twice: %v", act.object, err)
			}
		}
	})
}
