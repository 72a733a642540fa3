using Assay.Dashboard.Database;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Access;

/// <summary>Who stands behind a key or session.</summary>
sealed record Caller(string Name, string Role, Guid? KeyId);

/// <summary>Opens, finds and closes sessions; finds keys.</summary>
sealed class SignIn(DashboardDbContext db, TimeProvider time)
{
    public static readonly TimeSpan SessionLife = TimeSpan.FromDays(14);

    DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>The session token for a one-time link, or null if it is unknown, used or too old. Two clicks open one session: the update decides.</summary>
    public async Task<string?> ByLinkAsync(string token, CancellationToken cancellationToken)
    {
        var hash = Secrets.HashOf(token);
        var now = Now;
        var used = await db.LoginLinks.Where(link => link.TokenHash == hash && link.UsedAt == null && link.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, now), cancellationToken);
        if (used == 0)
            return null;
        var link = await db.LoginLinks.AsNoTracking().SingleAsync(row => row.TokenHash == hash, cancellationToken);
        return await OpenAsync(new Caller(link.Name, link.Role, null), cancellationToken);
    }

    /// <summary>The session token for a key typed by a person, or null if the key is unknown or revoked.</summary>
    public async Task<string?> ByKeyAsync(string secret, CancellationToken cancellationToken) =>
        await KeyAsync(secret, cancellationToken) is { } caller ? await OpenAsync(caller, cancellationToken) : null;

    public async Task<Caller?> KeyAsync(string secret, CancellationToken cancellationToken)
    {
        var hash = Secrets.HashOf(secret.Trim());
        return await db.AccessKeys.AsNoTracking().Where(key => key.SecretHash == hash && key.RevokedAt == null)
            .Select(key => new Caller(key.Name, key.Role, key.KeyId)).SingleOrDefaultAsync(cancellationToken);
    }

    public async Task<Caller?> SessionAsync(string token, CancellationToken cancellationToken)
    {
        var hash = Secrets.HashOf(token);
        var now = Now;
        return await db.Sessions.AsNoTracking().Where(session => session.TokenHash == hash && session.ExpiresAt > now)
            .Select(session => new Caller(session.Name, session.Role, session.KeyId)).SingleOrDefaultAsync(cancellationToken);
    }

    public Task<int> CloseAsync(string token, CancellationToken cancellationToken)
    {
        var hash = Secrets.HashOf(token);
        return db.Sessions.Where(session => session.TokenHash == hash).ExecuteDeleteAsync(cancellationToken);
    }

    async Task<string> OpenAsync(Caller caller, CancellationToken cancellationToken)
    {
        var token = Secrets.New();
        var now = Now;
        await db.Sessions.Where(session => session.ExpiresAt <= now).ExecuteDeleteAsync(cancellationToken);
        db.Sessions.Add(new SessionRow { TokenHash = Secrets.HashOf(token), Name = caller.Name, Role = caller.Role, KeyId = caller.KeyId, ExpiresAt = now + SessionLife });
        await db.SaveChangesAsync(cancellationToken);
        return token;
    }
}
