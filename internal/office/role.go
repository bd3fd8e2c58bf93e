package office

import (
	"maps"
	"slices"
	"strings"
)

// Role is a set of permissions (R-158, requirements-from-seeds.md 4).
type Role string

const (
	Clerk         Role = "clerk"          // 窓口: the counter
	Approver      Role = "approver"       // 決裁者: decides, overrides and revokes for the section
	RegisterClerk Role = "register_clerk" // 登録担当: loads files of subjects and records
	ExchangeClerk Role = "exchange_clerk" // 照会担当: answers and asks other municipalities
	Officer       Role = "officer"        // 所属長: head of the section; in a small office its approver as well
	Operator      Role = "operator"       // システム担当者: carries out what others approved
	Maintenance   Role = "maintenance"    // 保守業者: technical log only
	Auditor       Role = "auditor"        // 監査・開示担当: reads the log, answers disclosure
)

// policy is the whole table, default deny: what has no x here is refused. g says
// that the role does not hold the permission but is entitled to grant it.
// There is no permission that lists individual numbers, and none that lists
// people.
const policy = `
permission                      clerk  approver  register_clerk  exchange_clerk  officer  operator  maintenance  auditor
applications.read               x      x         .               .               x        .         .            x
applications.write              x      x         .               .               x        .         .            .
applications.decide             x      x         .               .               x        .         .            .
records.read                    x      x         .               .               x        .         .            .
applications.override           .      x         .               .               x        .         .            .
applications.batch              .      x         .               .               x        .         .            .
certificates.read               x      x         .               .               x        .         .            x
certificates.issue              x      x         .               .               x        .         .            .
certificates.issue.after_hours  .      x         .               .               x        .         .            .
certificates.print              x      x         .               .               x        .         .            .
certificates.print.bulk         .      x         .               .               x        .         .            .
certificates.revoke             .      x         .               .               x        .         .            .
certificates.revoke.bulk        .      x         .               .               x        .         .            .
certificates.reissue.bulk       .      x         .               .               x        .         .            .
verify                          x      x         x               x               x        x         .            x
imports.read                    x      x         x               .               x        .         .            x
imports.write                   x      g         x               .               x        .         .            .
imports.commit                  .      x         .               .               x        .         .            .
exchange                        .      .         .               x               g        .         .            .
numbers.enter                   x      g         .               x               g        .         .            .
numbers.see                     x      x         .               x               g        .         .            x
exports.request                 .      .         x               .               g        .         .            x
exports.approve                 .      x         .               .               x        .         .            .
exports.carry_out               .      .         x               .               g        .         .            x
accounts.read                   .      x         .               .               x        x         .            x
accounts.request                .      x         .               .               x        .         .            .
accounts.approve                .      .         .               .               x        .         .            .
accounts.carry_out              .      .         .               .               g        x         .            .
accounts.disable                .      .         .               .               x        x         .            .
roster.write                    .      .         .               .               x        x         .            .
roster.commit                   .      .         .               .               x        .         .            .
approvals.read                  x      x         x               x               x        x         .            x
approvals.ask                   x      x         x               .               x        x         .            x
approvals.decide                .      x         .               .               x        .         .            .
office.read                     x      x         x               x               x        x         .            x
office.settings                 .      .         .               .               x        x         .            .
office.settings.approve         .      .         .               .               x        .         .            .
office.suspend                  .      x         .               .               x        x         .            .
terminals.read                  .      .         .               .               x        x         .            x
terminals.write                 .      .         .               .               x        x         .            .
terminals.approve               .      .         .               .               x        .         .            .
statistics.read                 .      .         .               .               x        .         .            .
keys.read                       .      .         .               .               x        x         .            x
keys.request                    .      .         .               .               x        x         .            .
keys.approve                    .      .         .               .               x        .         .            .
keys.carry_out                  .      .         .               .               g        x         .            .
log.own                         x      x         x               x               x        x         x            x
log.unit                        .      x         .               .               x        .         .            x
log.technical                   .      .         .               .               g        x         x            x
log.read                        .      .         .               .               g        .         .            x
log.admit.request               .      .         .               .               x        x         .            .
log.admit.approve               .      .         .               .               x        .         .            .
log.admit.carry_out             .      .         .               .               g        x         .            .
alerts.read                     .      .         .               .               x        x         .            x
alerts.acknowledge              .      .         .               .               x        x         .            .
alerts.office                   .      .         .               .               x        .         .            x
alerts.installation             .      .         .               .               g        x         .            .
backup                          .      .         .               .               g        x         .            .
erasure.request                 .      .         .               .               x        .         .            .
erasure.approve                 .      .         .               .               x        .         .            .
erasure.carry_out               .      .         .               .               g        x         .            .
`

// duties are what one role holds, and what it may let others have.
type duties struct{ holds, grants map[string]bool }

var roles, rolesInOrder = readPolicy(policy)

// readPolicy reads the table. It panics on one that is not whole: the program
// must not start with a policy that somebody misread.
func readPolicy(table string) (map[Role]duties, []Role) {
	all := map[Role]duties{}
	var names []Role
	seen := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		cells := strings.Fields(line)
		if names == nil {
			for _, name := range cells[1:] {
				names = append(names, Role(name))
				all[Role(name)] = duties{map[string]bool{}, map[string]bool{}}
			}
			continue
		}
		permission := cells[0]
		if len(cells) != len(names)+1 || seen[permission] {
			panic("office: the policy has a broken line: " + permission)
		}
		seen[permission] = true
		for i, cell := range cells[1:] {
			switch cell {
			case "x":
				all[names[i]].holds[permission], all[names[i]].grants[permission] = true, true
			case "g":
				all[names[i]].grants[permission] = true
			case ".":
			default:
				panic("office: the policy has a broken cell: " + permission)
			}
		}
	}
	return all, names
}

// Roles lists all roles, in the order of the table.
func Roles() []Role { return slices.Clone(rolesInOrder) }

// Permissions returns the set of a role, which nobody changes; an unknown role has none.
func (r Role) Permissions() map[string]bool { return roles[r].holds }

// Known tells whether the role exists.
func (r Role) Known() bool { _, ok := roles[r]; return ok }

// MayGrant tells whether somebody of this role may ask for another one, or
// approve it, on another's behalf: each permission of that role must be held by
// this one or stand in the table as one that it is entitled to grant. So nobody
// makes an account that can do what he neither does nor answers for.
func (r Role) MayGrant(other Role) bool {
	if !other.Known() {
		return false
	}
	for p := range maps.Keys(other.Permissions()) {
		if !roles[r].grants[p] {
			return false
		}
	}
	return true
}
