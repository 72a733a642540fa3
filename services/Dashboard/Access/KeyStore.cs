using Assay.Dashboard.Database;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Access;

/// <summary>A key just made. <see cref="Secret"/> is shown once: only its hash is kept.</summary>
public sealed record CreatedKey(Guid KeyId, string Name, string Role, string Secret);

/// <summary>A key as it may be listed.</summary>
public sealed record AccessKey(Guid KeyId, string Name, string Role, DateTime CreatedAt, DateTime? RevokedAt, string? RevokedBy);

/// <summary>Keys for programs.</summary>
public interface IKeyStore
{
    /// <summary>Makes a key with a random secret.</summary>
    Task<CreatedKey> CreateKeyAsync(string role, string name, CancellationToken cancellationToken = default);

    /// <summary>Makes sure that a secret the host chose is a valid key of this name and role.</summary>
    Task EnsureKeyAsync(string role, string name, string secret, CancellationToken cancellationToken = default);

    /// <summary>Ends a key and the sessions opened with it; false if it is unknown or ended already.</summary>
    Task<bool> RevokeKeyAsync(Guid keyId, string by, CancellationToken cancellationToken = default);

    /// <summary>All keys, newest first.</summary>
    Task<IReadOnlyList<AccessKey>> ListAsync(CancellationToken cancellationToken = default);
}

/// <summary>One-time links that sign a person in.</summary>
public interface ILoginLinks
{
    /// <summary>A path such as <c>/login?token=…</c>, valid once and for 15 minutes, to be put behind the host's own URL.</summary>
    Task<string> CreateAsync(string role = Roles.Operator, string name = "login link", CancellationToken cancellationToken = default);
}

sealed class KeyStore(IServiceScopeFactory scopes, TimeProvider time) : IKeyStore, ILoginLinks
{
    const int LeastSecretLength = 20;
    static readonly TimeSpan LinkLife = TimeSpan.FromMinutes(15);

    DateTime Now => time.GetUtcNow().UtcDateTime;

    public async Task<CreatedKey> CreateKeyAsync(string role, string name, CancellationToken cancellationToken = default)
    {
        var key = new CreatedKey(Guid.CreateVersion7(), Named(name), Roles.Checked(role), "assay_" + Secrets.New());
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        db.AccessKeys.Add(new AccessKeyRow { KeyId = key.KeyId, Name = key.Name, Role = key.Role, SecretHash = Secrets.HashOf(key.Secret), CreatedAt = Now });
        await db.SaveChangesAsync(cancellationToken);
        return key;
    }

    public async Task EnsureKeyAsync(string role, string name, string secret, CancellationToken cancellationToken = default)
    {
        if (secret.Length < LeastSecretLength)
            throw new ArgumentException($"The secret of key '{name}' has {secret.Length} characters; use at least {LeastSecretLength}.", nameof(secret));
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var hash = Secrets.HashOf(secret);
        var (named, checkedRole) = (Named(name), Roles.Checked(role));
        // Several instances may start at once with the same file: the unique hash decides who makes the row.
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO access_key (key_id, name, role, secret_hash, created_at) VALUES ({Guid.CreateVersion7()}, {named}, {checkedRole}, {hash}, {Now}) ON CONFLICT (secret_hash) DO NOTHING",
            cancellationToken);
        var row = await db.AccessKeys.SingleAsync(key => key.SecretHash == hash, cancellationToken);
        if (row.RevokedAt is not null)
            throw new InvalidOperationException($"The secret of key '{name}' belongs to a key that {row.RevokedBy} revoked at {row.RevokedAt:u}; choose another secret.");
        (row.Role, row.Name) = (checkedRole, named);
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<bool> RevokeKeyAsync(Guid keyId, string by, CancellationToken cancellationToken = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var now = Now;
        var revoked = await db.AccessKeys.Where(key => key.KeyId == keyId && key.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(key => key.RevokedAt, now).SetProperty(key => key.RevokedBy, by), cancellationToken);
        await db.Sessions.Where(session => session.KeyId == keyId).ExecuteDeleteAsync(cancellationToken);
        return revoked == 1;
    }

    public async Task<IReadOnlyList<AccessKey>> ListAsync(CancellationToken cancellationToken = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        return await db.AccessKeys.AsNoTracking().OrderByDescending(key => key.CreatedAt)
            .Select(key => new AccessKey(key.KeyId, key.Name, key.Role, key.CreatedAt, key.RevokedAt, key.RevokedBy)).ToListAsync(cancellationToken);
    }

    public async Task<string> CreateAsync(string role = Roles.Operator, string name = "login link", CancellationToken cancellationToken = default)
    {
        var token = Secrets.New();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        db.LoginLinks.Add(new LoginLinkRow { TokenHash = Secrets.HashOf(token), Role = Roles.Checked(role), Name = Named(name), ExpiresAt = Now + LinkLife });
        await db.SaveChangesAsync(cancellationToken);
        return "/login?token=" + token;
    }

    static string Named(string name) => string.IsNullOrWhiteSpace(name) || name.Length > 100
        ? throw new ArgumentException("A key needs a name of 1 to 100 characters: it says who acts in the audit trail.", nameof(name))
        : name.Trim();
}
