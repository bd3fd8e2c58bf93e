package torture

import (
	"bytes"
	"compress/zlib"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"modernc.org/sqlite"

	"akashi/internal/testkit"
)

// artefact is something that the service left behind.
type artefact struct {
	name    string
	content []byte
}

// forms are the ways in which a text could stand in a file.
func forms(text string) map[string][]byte {
	all := map[string][]byte{
		"as it is": []byte(text), "hex": []byte(hex.EncodeToString([]byte(text))), "base64": []byte(base64.StdEncoding.EncodeToString([]byte(text))[:len(text)/3*4]),
		"url": []byte(strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("% X", text)), " ", "%")), "reversed": reversed(text),
	}
	var wide []byte
	for _, r := range text {
		wide = append(wide, byte(r>>8), byte(r))
	}
	all["UTF-16"] = wide
	escaped := fmt.Sprintf("%+q", text)
	all["escaped"] = []byte(escaped[1 : len(escaped)-1])
	return all
}

func reversed(text string) []byte {
	b := []byte(text)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

// secretsOf is what of a person may stand in no artefact: passport number, number of the
// ticket, and the name; a birth date alone names nobody, together with it the name does.
func secretsOf(p person) map[string]string {
	return map[string]string{"passport": p.passport, "ticket": p.ticket, "name": p.family + p.given, "name with blank": p.name(), "roman name": p.roman(), "zone": p.zone()[0][5:20]}
}

// scan looks for what is secret in everything, in every form.
func scan(all []artefact, secrets map[string]string) (hits []string) {
	for _, a := range all {
		for what, secret := range secrets {
			for form, text := range forms(secret) {
				if form == "reversed" && len(secret) < 10 {
					continue
				}
				if bytes.Contains(a.content, text) {
					hits = append(hits, fmt.Sprintf("%s holds %s, %s", a.name, what, form))
				}
			}
		}
	}
	return hits
}

// S-091, S-092: after the whole way with every refusal and a crash, what is personal
// about the applicants stands in no log, no database file or dump, no metadata of a
// page, no list, no error, no URL, no backup and no file of the data directory.
func TestCanaries(t *testing.T) {
	together(t)
	t.Run("sqlite", func(t *testing.T) { canaries(t, database{}) })
	t.Run("postgres", func(t *testing.T) { canaries(t, onPostgres(t)) })
}

func canaries(t *testing.T, d database) {
	n := newNode(t, t.TempDir(), append(d.environ, "AKASHI_LOG_LEVEL=DEBUG")...)
	n.start(t)
	who, people := signIn(t, n), invent(3)
	api := n.faces["staff"] + "/api/v1"
	bring(t, api, who, people)
	var left []artefact
	keep := func(name string, r reply) {
		left = append(left, artefact{name + " header", []byte(fmt.Sprint(r.header))})
		if !r.ok() {
			left = append(left, artefact{name + " error", r.body})
		}
	}
	try := func(by sign, method, path, media string, body []byte) reply {
		r, err := ask(t.Context(), by, method, n.faces["staff"]+path, media, body)
		if err != nil {
			t.Fatal(err)
		}
		keep(method+" "+path, r)
		return r
	}
	for i, p := range people {
		id, err := apply(t.Context(), api, who.clerk, p, i != 1)
		if err != nil {
			t.Fatal(err)
		}
		made := must(t, who.clerk, "POST", api+"/applications/"+id+"/certificate", "", nil)
		path := "/api/v1/certificates/" + made.get("id")
		sheet := try(who.clerk, "POST", path+"/prints", "", nil)
		left = append(left, artefact{"metadata of the page", metadata(sheet.body)})
		for _, list := range []string{path, "/api/v1/certificates", "/api/v1/applications", "/api/v1/approvals", "/openapi.json"} {
			r := try(who.officer, "GET", list, "", nil)
			left = append(left, artefact{list, r.body})
		}
		// Everything wrong, with the person's own words in it.
		form := p.application(true)
		for _, broken := range [][]byte{form[:len(form)-2], bytes.Replace(form, []byte(`"counter"`), []byte(`"`+p.name()+`"`), 1), bytes.Replace(form, []byte(`"kind"`), []byte(`"`+p.passport+`"`), 1)} {
			try(who.clerk, "POST", "/api/v1/applications", "application/json", broken)
		}
		try(who.clerk, "GET", "/api/v1/applications/"+p.ticket, "", nil)
		try(who.clerk, "GET", "/api/v1/certificates/"+p.passport, "", nil)
		try(who.clerk, "GET", "/api/v1/applications?name="+p.familyRoman+p.givenRoman, "", nil)
		try(who.clerk, "POST", "/api/v1/imports/subjects", "text/csv", []byte("wrong,"+p.name()+","+p.ticket+"\n"+p.passport))
		try(nil, "GET", "/api/v1/applications/"+id, "", nil)
	}
	safe := t.TempDir()
	_, recipient := ageKey(t, safe, "identity")
	if out, status := n.run(t, "backup", "--to", filepath.Join(safe, "backup"), "--recipient", recipient); status != 0 {
		t.Fatal(out)
	}
	n.signal(syscall.SIGABRT) // a crash, with the stacks of all goroutines
	_ = n.cmd.Wait()
	n.cmd = nil
	left = append(left, artefact{"log and crash", []byte(n.log.String())}, artefact{"dump", dump(t, d.open(t, n.data))})
	for _, dir := range []string{n.data, safe} {
		left = append(left, files(t, dir)...)
	}
	for _, p := range people {
		if hits := scan(left, secretsOf(p)); len(hits) > 0 {
			t.Errorf("%s: %s", p.ticket, strings.Join(hits, "; "))
		}
	}
	var numbers struct{ Valid []string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &numbers); err != nil {
		t.Fatal(err)
	}
	for _, number := range numbers.Valid {
		if hits := scan(left, map[string]string{"individual number": number, "individual number with strokes": number[:4] + "-" + number[4:8] + "-" + number[8:]}); len(hits) > 0 {
			t.Error(hits)
		}
	}
	if size := len(left[len(left)-1].content); len(left) < 60 || size == 0 || !strings.Contains(n.log.String(), "SIGABRT") {
		t.Errorf("%d artefacts, and the crash left no trace", len(left))
	}
	// The scan finds what it looks for: the people's pages hold all of it.
	found := scan([]artefact{{"file", subjectsFile(people)}, {"file", people[0].application(true)}}, secretsOf(people[0]))
	if len(found) < 3 {
		t.Errorf("the scan found only %v", found)
	}
}

// metadata is a page without what is drawn on it: its objects, names and properties.
func metadata(file []byte) (out []byte) {
	for rest := file; ; {
		at := bytes.Index(rest, []byte("stream"))
		if at < 0 {
			return append(out, rest...)
		}
		out = append(out, rest[:at]...)
		body := bytes.TrimLeft(rest[at+len("stream"):], "\r\n")
		end := bytes.Index(body, []byte("endstream"))
		if end < 0 {
			return out
		}
		dict := rest[:at][max(0, at-300):]
		if i := bytes.LastIndex(dict, []byte("obj")); i >= 0 {
			dict = dict[i:]
		}
		if bytes.Contains(dict, []byte("/Metadata")) || bytes.Contains(dict, []byte("/ObjStm")) {
			if z, err := zlib.NewReader(bytes.NewReader(body[:end])); err == nil {
				plain, _ := io.ReadAll(z)
				out = append(out, plain...)
			} else {
				out = append(out, body[:end]...)
			}
		}
		rest = body[end+len("endstream"):]
	}
}

// dump is every value of every table, as somebody with the whole database sees it.
func dump(t *testing.T, db *sql.DB) (all []byte) {
	t.Helper()
	tables := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if _, lite := db.Driver().(*sqlite.Driver); !lite {
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	for _, name := range column(t, db, tables) {
		all = append(append(all, name+"\n"...), rowsOf(t, db, name)...)
	}
	return all
}

func rowsOf(t *testing.T, db *sql.DB, table string) (all []byte) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			all = fmt.Append(all, v, "\n")
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func files(t *testing.T, dir string) (all []artefact) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, artefact{filepath.Base(path), b}, artefact{"name of a file", []byte(path)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
