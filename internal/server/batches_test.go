package server

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/exchange"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

const batchHeader = "種類,接種券番号,姓,名,生年月日\r\n"

// aFile has two rows, one of them wrong; each call makes another one.
func (f *fixture) aFile() string {
	f.files++
	return batchHeader + "国内用,0000000001,桜井,澪,1991-02-18\r\n" + fmt.Sprintf("国内用,%d,架空,人,1990-01-01\r\n", f.files)
}

func (f *fixture) bring(session, file string, headers ...string) reply {
	r := ask(f.Staff(), session, "POST", prefix+"/batches", csvType, []byte(file), headers...)
	f.note(staffFace, "POST", prefix+"/batches", r)
	return r
}

// uploaded hands a file of applications in on the page.
func (f *fixture) uploaded(session, file string, fields ...string) reply {
	return f.upload(session, "/counter/batches/file", file, fields...)
}

// upload sends a form with a file, as a browser does; an empty one is left out.
func (f *fixture) upload(session, path, file string, fields ...string) reply {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	if file != "" {
		p, _ := w.CreateFormFile("file", "桜井澪.csv")
		_, _ = p.Write([]byte(file))
	}
	_ = w.Close()
	r := ask(f.Staff(), session, "POST", path, w.FormDataContentType(), b.Bytes(), asBrowser)
	f.note(staffFace, "POST", path, r)
	return r
}

func (f *fixture) batchStep(t *testing.T) {
	t.Helper()
	if _, err := f.World.Batches.Step(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
}

// testBatches meets the routes by which files of applications come in, and their pages.
func (f *fixture) testBatches(t *testing.T) {
	template := f.do(f.clerk, "GET", "/batch-template", "")
	if f.want(t, template, 200, ""); !bytes.HasPrefix(template.body, []byte("\uFEFF\"種類\"")) {
		t.Errorf("ok/template: %s", template.body)
	}
	f.want(t, f.do("", "GET", "/batch-template", ""), 401, "session")
	file := f.aFile()
	r := f.bring(f.clerk, file, "Idempotency-Key: file")
	f.want(t, r, 201, "")
	m := r.json(t)
	path := "/batches/" + m["id"].(string)
	if m["state"] != "judged" || m["rows"] != 2.0 || m["accepted"] != 1.0 || r.header.Get("Location") != prefix+path || bytes.Contains(r.body, []byte("桜井")) {
		t.Errorf("ok/judged: %s", r.body)
	}
	line := m["lines"].([]any)[1].(map[string]any)["findings"].([]any)[0].(map[string]any)
	if line["code"] != "ticket_form" || line["column"] != "接種券番号" || line["ja"] == "" || line["en"] == "" {
		t.Errorf("ok/found: %v", line)
	}
	if again := f.bring(f.clerk, file, "Idempotency-Key: file"); again.status != 200 || again.json(t)["id"] != m["id"] {
		t.Errorf("ok/handed in twice at once: %d %s", again.status, again.body)
	}
	f.want(t, f.bring(f.clerk, file), 409, "batch_repeated")
	f.want(t, f.bring(f.clerk, "x"), 400, "batch_header")
	f.want(t, f.do(f.clerk, "GET", "/batches?limit=0", ""), 400, "limit")
	f.want(t, f.do(f.clerk, "GET", "/batches", ""), 200, "")
	f.want(t, f.do(f.foreign, "GET", path, ""), 404, "batch")
	f.want(t, f.do(f.officer, "GET", path+"/file", ""), 403, "batch_of_another")
	back := f.do(f.clerk, "GET", path+"/file", "")
	if f.want(t, back, 200, ""); !bytes.Contains(back.body, []byte(`"桜井"`)) || !bytes.Contains(back.body, []byte("接種券番号は10桁の数字です")) || back.header.Get("Content-Type") != csvType {
		t.Errorf("ok/the same file: %s", back.body)
	}
	f.want(t, f.do(f.clerk, "POST", path+"/commit", `{"whole":true}`), 409, "batch_not_whole")
	f.want(t, f.do(f.officer, "POST", path+"/start", ""), 403, "approval_needed")
	f.want(t, f.do(f.clerk, "POST", path+"/commit", `{"whole":false}`), 200, "")
	f.want(t, f.do(f.clerk, "POST", path+"/close", ""), 409, "batch_open")
	f.batchStep(t)
	if m := f.do(f.clerk, "GET", path, "").json(t); m["state"] != "finished" || m["done"] != 1.0 {
		t.Errorf("ok/finished: %v", m)
	}
	f.want(t, f.do(f.clerk, "POST", path+"/close", ""), 200, "")
	f.testLargeBatch(t)
	f.testBatchPages(t)
}

// testLargeBatch meets the routes by which a second person agrees.
func (f *fixture) testLargeBatch(t *testing.T) {
	file := f.aFile()
	var b strings.Builder
	b.WriteString(file)
	for i := range exchange.FewRows + 1 {
		fmt.Fprintf(&b, "国内用,%010d,架空,人,1990-01-01\r\n", 5000+i)
	}
	one, two := f.approvers(t)
	ask := func() string {
		r := f.bring(one, b.String())
		f.want(t, r, 201, "")
		path := "/batches/" + r.json(t)["id"].(string)
		r = f.do(one, "POST", path+"/commit", `{"whole":false}`)
		f.want(t, r, 200, "")
		if r.json(t)["state"] != "requested" {
			t.Errorf("ok/asked: %s", r.body)
		}
		b.WriteString("国内用,0000000002,見本,太郎,1958-11-03\r\n")
		return path
	}
	path := ask()
	f.want(t, f.do(one, "POST", path+"/start", ""), 403, "second_person")
	f.want(t, f.do(two, "POST", path+"/start", ""), 200, "")
	path = ask()
	f.want(t, f.page(f.clerk, "POST", "/counter"+path+"/start", ""), 403, "")
	f.want(t, f.page(two, "POST", "/counter"+path+"/start", ""), 303, "")
}

func (f *fixture) testBatchPages(t *testing.T) {
	f.want(t, f.uploaded(f.clerk, ""), 400, "")
	f.want(t, f.uploaded(f.clerk, "x", "a", strings.Repeat("x", maxUpload+1)), 400, "")
	wrong := f.uploaded(f.clerk, "姓,名\r\n桜井,澪\r\n")
	if f.want(t, wrong, 400, ""); !bytes.Contains(wrong.body, []byte(`aria-describedby="file-told"`)) || bytes.Contains(wrong.body, []byte("桜井")) {
		t.Errorf("error/header: %s", wrong.body)
	}
	file := f.aFile()
	r := f.uploaded(f.clerk, file, "_key", "upload")
	f.want(t, r, 303, "")
	path := r.header.Get("Location")
	if again := f.uploaded(f.clerk, file, "_key", "upload"); again.header.Get("Location") != path {
		t.Errorf("ok/sent twice: %d", again.status)
	}
	shown := f.page(f.clerk, "GET", path, "")
	if f.want(t, shown, 200, ""); !bytes.Contains(shown.body, []byte("接種券番号は10桁の数字です")) || bytes.Contains(shown.body, []byte("桜井")) {
		t.Errorf("ok/shown: %s", shown.body)
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/batches/x", ""), 404, "batch")
	f.want(t, f.page(f.clerk, "GET", path+"/file", ""), 200, "")
	f.want(t, f.page(f.officer, "GET", path+"/file", ""), 403, "batch_of_another")
	f.want(t, f.page(f.officer, "POST", path+"/commit", "whole:bool=false"), 403, "")
	f.want(t, f.page(f.clerk, "POST", path+"/commit", "whole:bool=false"), 303, "")
	if r := f.page(f.clerk, "GET", path, ""); !bytes.Contains(r.body, []byte(`hx-trigger="every 2s"`)) {
		t.Errorf("ok/progress: %s", r.body)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/close", ""), 409, "")
	if _, err := f.World.Batches.Step(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/close", ""), 303, "")
	if list := f.page(f.clerk, "GET", "/counter/batches", ""); !bytes.Contains(list.body, []byte(path)) {
		t.Errorf("ok/list: %s", list.body)
	}
}

// L-10, adr/0033: a file's rows are taken from the budget of look-ups when they are to
// become applications.
func TestBatchBudget(t *testing.T) {
	f := newFixture(t)
	f.SetOffice(t, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 2, Hard: 2} })
	other := f.SignIn(t, world.ClerkUser+"-fresh", office.Clerk)
	for i, want := range []int{200, 429} {
		r := f.bring(f.clerk, f.aFile()+fmt.Sprintf("国内用,000000000%d,見本,太郎,1958-11-03\r\n", i+2))
		f.want(t, r, 201, "")
		path := "/batches/" + r.json(t)["id"].(string)
		f.want(t, f.do(f.clerk, "POST", path+"/commit", `{"whole":true}`), 409, "batch_not_whole") // takes nothing
		f.want(t, f.do(other, "POST", path+"/commit", `{"whole":false}`), 403, "batch_of_another")
		if r := f.do(f.clerk, "POST", path+"/commit", `{"whole":false}`); r.status != want {
			t.Errorf("file %d: %d, want %d", i+1, r.status, want)
		}
	}
	f.want(t, f.do(other, "GET", "/applications/"+f.Approved(t, certificate.Domestic), ""), 200, "") // has all of a budget
}
