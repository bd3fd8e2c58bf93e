package server

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/samples"
)

const importsPath = "/counter/imports"

// bringFile hands a file of subjects or records in on the page.
func (f *fixture) bringFile(session, kind, file string, fields ...string) reply {
	return f.upload(session, importsPath, file, append([]string{"kind", kind}, fields...)...)
}

// staged is the page of an import of a person whom nobody knows yet.
func (f *fixture) staged(t *testing.T, session, name string) string {
	t.Helper()
	f.files++
	r := f.bringFile(session, "subjects", subjectsHead+fmt.Sprintf("900001,77%08d,,%s,人,,,1990-01-01,9,resident,\n", f.files, name))
	f.want(t, r, 303, "")
	return r.header.Get("Location")
}

const subjectsHead = "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"

// Issue 6, S-038, R-150: a file of records comes in by the browser alone: judged first,
// with what is wrong in words and no value of it, and applied by a second person.
func (f *fixture) testImportPages(t *testing.T) {
	operator := f.SignIn(t, cli.TestOffice+"-operator", office.Operator)
	f.holds(t, f.page(f.clerk, "GET", importsPath, ""), `enctype="multipart/form-data"`, `value="subjects"`, "<code>ticket_number</code>", "接種券番号（10桁）")
	f.want(t, f.page(f.clerk, "GET", importsPath+"?cursor=x", ""), 400, "cursor")
	f.want(t, f.page(operator, "GET", importsPath, ""), 403, "permission")
	f.want(t, f.do(f.clerk, "GET", "/imports?limit=0", ""), 400, "limit")

	one, _ := f.approvers(t)
	path := f.staged(t, f.clerk, "架空")
	f.holds(t, f.page(f.clerk, "GET", path, ""), "まだ何も取り込んでいません", "ほかの人の承認が必要です", path+"/discard", "問題は見つかりませんでした")
	f.want(t, f.page(f.clerk, "POST", path+"/commit", ""), 403, "permission")
	f.want(t, f.page(f.clerk, "GET", importsPath+"/"+nobody, ""), 404, "import")
	own := f.staged(t, f.officer, "架空")
	if r := f.page(f.officer, "POST", own+"/commit", ""); r.status != 403 || !bytes.Contains(r.body, []byte("まだ何も取り込んでいません")) { // S-029
		t.Errorf("error/one person: %d %s", r.status, r.body)
	}
	seen := f.page(one, "GET", path, "")
	f.holds(t, seen, path+"/commit", "承認して取り込む")
	approval := regexp.MustCompile(`/counter/approvals/[0-9a-f-]{36}`).FindString(string(seen.body))
	f.holds(t, f.page(one, "GET", approval, ""), path, "取込を適用する")
	f.want(t, f.page(one, "POST", path+"/commit", ""), 303, "")
	f.holds(t, f.page(f.clerk, "GET", path, ""), "取込済み", "新しく入ったもの", path+"/undo-request")
	if r := f.page(one, "POST", path+"/commit", ""); r.status != 409 || !bytes.Contains(r.body, []byte("（取込済み）")) {
		t.Errorf("error/applied twice: %d %.600s", r.status, r.body)
	}
	f.holds(t, f.page(f.clerk, "GET", importsPath, ""), path, "取込済み")
	list := f.do(f.clerk, "GET", "/imports?limit=1", "")
	if f.want(t, list, 200, ""); bytes.Contains(list.body, []byte("架空")) || list.json(t)["next"] == nil {
		t.Errorf("ok/list: %s", list.body)
	}
	f.testImportUndone(t, path, one)
	f.testImportGivenUp(t, own, one)
	f.testImportRefused(t)
}

// What was taken by mistake is withdrawn by two people, and the page tells who is concerned.
func (f *fixture) testImportUndone(t *testing.T, path, second string) {
	f.want(t, f.page(second, "POST", path+"/withdraw", ""), 403, "")
	asked := f.page(f.clerk, "POST", path+"/undo-request", "")
	f.want(t, asked, 303, "")
	f.want(t, f.page(f.clerk, "POST", importsPath+"/x/undo-request", ""), 404, "import")
	f.holds(t, f.page(second, "GET", asked.header.Get("Location"), ""), path)
	f.holds(t, f.page(second, "GET", path, ""), path+"/withdraw", "取消しが依頼されています")
	f.want(t, f.page(second, "POST", path+"/withdraw", ""), 303, "")
	f.holds(t, f.page(f.clerk, "GET", path, ""), "取消し済み")
}

// A file of one's own that nobody has approved is given up: its content is erased, and
// nobody is asked any more.
func (f *fixture) testImportGivenUp(t *testing.T, own, second string) {
	f.want(t, f.page(f.clerk, "POST", own+"/discard", ""), 403, "")
	f.want(t, f.do(f.clerk, "POST", strings.TrimPrefix(own, "/counter")+"/discard", ""), 403, "import_of_another")
	f.want(t, f.page(f.officer, "POST", own+"/discard", ""), 303, "")
	f.want(t, f.page(second, "POST", own+"/commit", ""), 409, "")
	f.want(t, f.page(f.officer, "POST", own+"/discard", ""), 409, "")
	f.want(t, f.do(f.officer, "POST", strings.TrimPrefix(f.staged(t, f.officer, "架空"), "/counter")+"/discard", ""), 200, "")
	id := strings.TrimPrefix(own, importsPath+"/")
	list, err := f.World.Approvals.List(t.Context(), f.Officer, office.ApprovalFilter{Kind: office.CommitImport, Object: id, Limit: 1})
	if err != nil || len(list) != 1 || list[0].State(f.World.Clock.Now()) != office.Withdrawn {
		t.Errorf("ok/nobody is asked: %v %v", list, err)
	}
	err = f.World.Log.Act(t.Context(), f.Officer, audit.Entry{Action: "import.read"}, func(ctx context.Context, _ *audit.Entry) error {
		file, err := f.World.Store.StagedFile(ctx, cli.TestOffice, id)
		if len(file) > 0 {
			t.Error("error/the file is kept")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What cannot be read is refused with a reason where it stands, and what was chosen stays.
func (f *fixture) testImportRefused(t *testing.T) {
	for name, bad := range map[string]struct{ kind, file, field string }{
		"no file": {"records", "", "file"}, "blanks": {"records", " \r\n", "file"}, "no kind": {"", "x", "kind"}, "unknown kind": {"people", "x", "kind"},
	} {
		r := f.bringFile(f.clerk, bad.kind, bad.file)
		if f.at(t, r, 400, bad.field); bad.kind == "records" && !bytes.Contains(r.body, []byte(`value="records" required checked`)) {
			t.Errorf("error/%s: the kind is gone: %s", name, r.body)
		}
	}
	cp932, err := samples.Files.ReadFile("subjects-cp932.csv")
	if err != nil {
		t.Fatal(err)
	}
	utf8, _ := samples.Files.ReadFile("subjects.csv")
	for name, file := range map[string]struct{ kind, file, says string }{
		"ok/CP932":               {"subjects", string(cp932), "Shift_JIS"},
		"error/UTF-16":           {"subjects", "\xff\xfe" + string(utf8), "文字コードが分かりません"},
		"error/two encodings":    {"subjects", string(utf8) + string(cp932[bytes.IndexByte(cp932, '\n')+1:]), "文字コードが壊れています"},
		"error/of other columns": {"records", "a,b\r\n桜井,澪\r\n", "見出し行が様式と一致しません"},
		"error/of other kind":    {"records", string(utf8), "種類で「対象者」を選んでください"},
		"error/a line":           {"subjects", subjectsHead + "900001,12,,桜井,澪,,,1991-02-18,2,resident,\n", "取り込める行がありません"},
		"error/of elsewhere":     {"subjects", subjectsHead + "211311,0000000001,,桜井,澪,,,1991-02-18,2,resident,\n", "他の自治体の自治体コード"},
	} {
		r := f.bringFile(f.clerk, file.kind, file.file)
		f.want(t, r, 303, "")
		shown := f.page(f.clerk, "GET", r.header.Get("Location"), "")
		f.holds(t, shown, file.says)
		for _, personal := range []string{"桜井", "0000000001", "1991-02-18"} {
			if bytes.Contains(shown.body, []byte(personal)) {
				t.Errorf("%s: the page shows %s", name, personal)
			}
		}
	}
	twice := []string{"_key", "twice"}
	first := f.bringFile(f.clerk, "subjects", string(utf8), twice...).header.Get("Location")
	if again := f.bringFile(f.clerk, "subjects", string(utf8), twice...); first == "" || again.header.Get("Location") != first {
		t.Errorf("ok/sent twice: %d %s", again.status, again.header)
	}
	if other := f.bringFile(f.clerk, "records", string(utf8), twice...); other.header.Get("Location") == first {
		t.Error("error/as another kind it is the same import")
	}
	f.want(t, f.bringFile(f.clerk, "subjects", string(utf8), "_applicant", "of the last person"), 409, "") // L-03
	large := f.bringFile(f.clerk, "records", strings.Repeat("x", maxImport+maxUpload))
	if f.want(t, large, 413, ""); !bytes.Contains(large.body, []byte("50 MB")) || !bytes.Contains(large.body, []byte(`href="`+importsPath+`"`)) {
		t.Errorf("error/too large: %s", large.body)
	}
	f.want(t, f.bringFile(f.foreignClerk, "subjects", string(utf8)), 303, "") // which its own office refuses
}
