package office

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constants are the permissions that permission.go declares.
func constants(t *testing.T) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "permission.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			text, _ := strconv.Unquote(l.Value)
			list = append(list, text)
		}
		return true
	})
	return list
}

// S-024: the table has a line for each permission and no other, in their order.
func TestPolicyIsWhole(t *testing.T) {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(policy)) {
		lines = append(lines, strings.Fields(line)[0])
	}
	if !slices.Equal(sorted(lines[1:]), sorted(constants(t))) {
		t.Errorf("the table has\n%v\nthe code has\n%v", sorted(lines[1:]), sorted(constants(t)))
	}
	if want := []Role{Clerk, Approver, RegisterClerk, ExchangeClerk, Officer, Operator, Maintenance, Auditor}; !slices.Equal(Roles(), want) {
		t.Errorf("roles %v", Roles())
	}
	for _, broken := range []string{"permission a b\np x", "permission a\np y", "permission a\np x\np x"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("error/%q was read", broken)
				}
			}()
			readPolicy(broken)
		}()
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// requirements-from-seeds.md 4, R-019: what each role must not be able to do.
func TestPermissions(t *testing.T) {
	has := func(r Role, p Permission) bool { return r.Permissions()[string(p)] }
	never := map[Role][]Permission{
		Clerk:         {Override, Revoke, CommitImports, RequestAccount, ApproveAccount, CarryOutAccount, RequestExport, ReadLog, ReadUnitLog, DecideApprovals},
		Approver:      {WriteImports, ApproveAccount, CarryOutAccount, ApproveKeys, ReadLog},
		RegisterClerk: {ReadApplications, WriteApplications, Decide, Issue, Print, Revoke, CommitImports, SeeNumber, EnterNumber, ApproveExport},
		ExchangeClerk: {ReadApplications, Decide, Issue, Print, Revoke, WriteImports, CommitImports},
		Officer:       {SeeNumber, EnterNumber, CarryOutAccount, CarryOutKeys, CarryOutErasure, CarryOutExport, CarryOutAdmission, Backup},
		Operator:      {ReadApplications, ReadCertificates, Issue, Print, SeeNumber, EnterNumber, RequestAccount, ApproveAccount, DecideApprovals, ApproveAdmission, ReadLog},
		Auditor:       {WriteApplications, Decide, Issue, Print, Revoke, WriteImports, CommitImports, RequestAccount, DecideApprovals},
	}
	for role, list := range never {
		for _, p := range list {
			if has(role, p) {
				t.Errorf("error/%s has %s", role, p)
			}
		}
	}
	if got := sorted(keys(Maintenance.Permissions())); !slices.Equal(got, []string{"log.own", "log.technical"}) {
		t.Errorf("error/maintenance has %v", got)
	}
	if len(Role("nobody").Permissions()) != 0 || Role("nobody").Known() {
		t.Error("error/an unknown role has permissions")
	}
	for _, p := range []Permission{Override, Revoke, CommitImports} {
		if !has(Officer, p) {
			t.Errorf("ok/officer: no %s", p)
		}
	}
	for _, p := range constants(t) { // S-031: no role can list numbers
		if strings.HasPrefix(p, "numbers.") && p != string(SeeNumber) && p != string(EnterNumber) {
			t.Errorf("error/%s", p)
		}
	}
}

func keys(set map[string]bool) (list []string) {
	for k := range set {
		list = append(list, k)
	}
	return list
}

// granting needs holding, or being entitled to grant.
func TestMayGrant(t *testing.T) {
	for by, want := range map[Role][]Role{
		Officer: Roles(), Approver: {Clerk, Approver}, Clerk: nil, RegisterClerk: nil, Operator: nil, Auditor: nil, Maintenance: nil, "nobody": nil,
	} {
		for _, role := range append(Roles(), "nobody") {
			may := by.MayGrant(role) && by.Permissions()[string(RequestAccount)]
			if may != slices.Contains(want, role) {
				t.Errorf("%s grants %s: %v", by, role, may)
			}
		}
	}
}

// S-029: each dangerous act can be asked for, approved and carried out by
// somebody, and the permission to approve is never that of the counter.
func TestDangerousActs(t *testing.T) {
	if len(Kinds()) < 17 {
		t.Fatalf("%d kinds", len(Kinds()))
	}
	someone := func(p Permission) bool {
		return slices.ContainsFunc(Roles(), func(r Role) bool { return r.Permissions()[string(p)] })
	}
	for _, kind := range Kinds() {
		d, err := kind.Act()
		if err != nil || !someone(d.Ask) || !someone(d.Approve) || !someone(d.CarryOut) {
			t.Errorf("%s: %+v %v", kind, d, err)
		}
		for _, low := range []Role{Clerk, RegisterClerk, ExchangeClerk, Maintenance, Operator} {
			if low.Permissions()[string(d.Approve)] {
				t.Errorf("error/%s is approved by %s", kind, low)
			}
		}
	}
	if _, err := Kind("anything").Act(); err == nil {
		t.Error("error/unknown kind")
	}
}
