package office

// Permission is what a route demands (S-024). The table below is the whole
// policy: what is not in it is refused.
type Permission string

const (
	ReadApplications  Permission = "applications.read"
	WriteApplications Permission = "applications.write"
	Decide            Permission = "applications.decide"
	Override          Permission = "applications.override"
	ReadCertificates  Permission = "certificates.read"
	Issue             Permission = "certificates.issue"
	Print             Permission = "certificates.print"
	Revoke            Permission = "certificates.revoke"
	ReadImports       Permission = "imports.read"
	WriteImports      Permission = "imports.write"
	CommitImports     Permission = "imports.commit"
	Verify            Permission = "verify"
)

// Role is a set of permissions.
type Role string

const (
	Clerk   Role = "clerk"   // the counter
	Officer Role = "officer" // the head of the section: overrides, revokes, confirms imports
)

var clerk = []Permission{
	ReadApplications, WriteApplications, Decide, ReadCertificates, Issue, Print, ReadImports, WriteImports, Verify,
}

var permissions = map[Role][]Permission{
	Clerk:   clerk,
	Officer: append([]Permission{Override, Revoke, CommitImports}, clerk...),
}

// Permissions returns the set of a role; an unknown role has none.
func (r Role) Permissions() map[string]bool {
	set := map[string]bool{}
	for _, p := range permissions[r] {
		set[string(p)] = true
	}
	return set
}

// Known tells whether the role exists.
func (r Role) Known() bool { return permissions[r] != nil }
