package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/office"
)

// permissionsHead is the first line of the reviewed matrix.
const permissionsHead = "face\tmethod\tpath\tpermission\troles\treason\n"

// shortestReason is how many letters a reason has at least.
const shortestReason = 15

// S-024, R-158: the matrix role by route, made from the registry and the role
// table, equals the reviewed file, where each line has its reason.
func TestPermissionMatrix(t *testing.T) {
	path := filepath.Join("testdata", "permissions.tsv")
	text, err := os.ReadFile(path)
	if err != nil && !updating(t) {
		t.Fatal(err)
	}
	reviewed, reasons := map[string]bool{}, map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(string(text), permissionsHead)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 6 || len(strings.TrimSpace(cells[5])) < shortestReason {
			t.Errorf("this line has no reason of %d letters: %q", shortestReason, line)
			continue
		}
		row := strings.Join(cells[:5], "\t")
		if reviewed[row] {
			t.Errorf("this line stands there twice: %q", row)
		}
		reviewed[row], reasons[strings.Join(cells[:3], "\t")] = true, cells[5]
	}
	anew := permissionsHead
	for _, row := range (&Server{}).matrix() {
		if !reviewed[row] {
			t.Errorf("not reviewed: %q\nfind out who needs this and why; write the line with its reason into %s", row, path)
		}
		delete(reviewed, row)
		key := strings.Join(strings.Split(row, "\t")[:3], "\t")
		anew += row + "\t" + reasons[key] + "\n"
	}
	for row := range reviewed {
		t.Errorf("reviewed, but not so any more: %q", row)
	}
	if updating(t) {
		if err := os.WriteFile(path, []byte(anew), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// matrix lists face, method, path, permission and roles of every route.
func (s *Server) matrix() (rows []string) {
	for _, f := range faces {
		for _, r := range s.routes() {
			for _, at := range r.faces {
				if at == f {
					rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", f, r.method, r.path, r.permission, allowed(r.permission)))
				}
			}
		}
	}
	return rows
}

func allowed(p office.Permission) string {
	if p == anyone || p == oneself {
		return string(p)
	}
	var list []string
	for _, r := range office.Roles() {
		if r.Permissions()[string(p)] {
			list = append(list, string(r))
		}
	}
	return strings.Join(list, " ")
}
