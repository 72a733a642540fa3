using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Database;

/// <summary>A key for programs. Only the hash of its secret is kept.</summary>
sealed class AccessKeyRow
{
    public Guid KeyId { get; set; }
    public required string Name { get; set; }
    public required string Role { get; set; }
    public required string SecretHash { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime? RevokedAt { get; set; }
    public string? RevokedBy { get; set; }
}

/// <summary>A one-time link that signs a person in.</summary>
sealed class LoginLinkRow
{
    public required string TokenHash { get; set; }
    public required string Role { get; set; }
    public required string Name { get; set; }
    public DateTime ExpiresAt { get; set; }
    public DateTime? UsedAt { get; set; }
}

/// <summary>A signed-in person's session. The cookie holds the token, the row its hash.</summary>
sealed class SessionRow
{
    public required string TokenHash { get; set; }
    public required string Role { get; set; }
    public required string Name { get; set; }

    /// <summary>The key it was opened with, if any: revoking the key ends the session.</summary>
    public Guid? KeyId { get; set; }

    public DateTime ExpiresAt { get; set; }
}

/// <summary>A read-only link to one report.</summary>
sealed class ShareLinkRow
{
    public Guid LinkId { get; set; }
    public required string TokenHash { get; set; }
    public Guid AuditId { get; set; }
    public required string CreatedBy { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime? RevokedAt { get; set; }
}

/// <summary>What an operator did, why, and when.</summary>
public sealed class OperatorActionRow
{
    public Guid ActionId { get; set; }
    public DateTime At { get; set; }
    public required string Who { get; set; }
    public required string Action { get; set; }
    public Guid? AuditId { get; set; }
    public required string Reason { get; set; }
    public string? Detail { get; set; }
}

/// <summary>A queue some service reads, as it told once.</summary>
sealed class KnownQueueRow
{
    public required string Name { get; set; }
    public required string Service { get; set; }
    public DateTime LearnedAt { get; set; }
}

/// <summary>Where ended audits are announced.</summary>
sealed class WebhookRow
{
    public Guid WebhookId { get; set; }
    public required string Url { get; set; }

    /// <summary>Signs each delivery (HMAC-SHA256); the receiver holds the same text.</summary>
    public required string Secret { get; set; }

    public required string CreatedBy { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime? RemovedAt { get; set; }
}

/// <summary>A POST that was sent with an <c>Idempotency-Key</c>, and what was answered.</summary>
sealed class IdempotentAnswerRow
{
    public required string Caller { get; set; }
    public required string Key { get; set; }

    /// <summary>Path and body in one hash: the same key for something else is a mistake.</summary>
    public required string RequestHash { get; set; }

    public DateTime At { get; set; }

    /// <summary>Null until it is answered.</summary>
    public int? Status { get; set; }

    public string? Location { get; set; }

    /// <summary>Null of an answer that may be given once only.</summary>
    public string? Body { get; set; }
}

/// <summary>One announcement to one webhook; the primary key makes five deliveries of one event one announcement.</summary>
sealed class WebhookDeliveryRow
{
    public Guid WebhookId { get; set; }
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public required string Event { get; set; }
    public required string Body { get; set; }
    public int Tries { get; set; }
    public DateTime? NextTryAt { get; set; }
    public DateTime? DeliveredAt { get; set; }
    public string? LastError { get; set; }
}

static class AccessMaps
{
    public static void Apply(ModelBuilder model)
    {
        model.Entity<AccessKeyRow>(row =>
        {
            row.ToTable("access_key", table => table.HasCheckConstraint("ck_access_key_role", "role IN ('viewer', 'producer', 'operator')")).HasKey(r => r.KeyId);
            row.Property(r => r.KeyId).ValueGeneratedNever();
            row.HasIndex(r => r.SecretHash).IsUnique();
        });
        model.Entity<LoginLinkRow>(row => row.ToTable("login_link").HasKey(r => r.TokenHash));
        model.Entity<SessionRow>(row => row.ToTable("session").HasKey(r => r.TokenHash));
        model.Entity<ShareLinkRow>(row =>
        {
            row.ToTable("share_link").HasKey(r => r.LinkId);
            row.Property(r => r.LinkId).ValueGeneratedNever();
            row.HasIndex(r => r.TokenHash).IsUnique();
            row.HasIndex(r => r.AuditId);
        });
        model.Entity<OperatorActionRow>(row =>
        {
            row.ToTable("operator_action").HasKey(r => r.ActionId);
            row.Property(r => r.ActionId).ValueGeneratedNever();
            row.HasIndex(r => r.At);
            row.HasIndex(r => r.AuditId);
        });
        model.Entity<KnownQueueRow>(row => row.ToTable("known_queue").HasKey(r => r.Name));
        model.Entity<WebhookRow>(row =>
        {
            row.ToTable("webhook").HasKey(r => r.WebhookId);
            row.Property(r => r.WebhookId).ValueGeneratedNever();
        });
        model.Entity<WebhookDeliveryRow>(row =>
        {
            row.ToTable("webhook_delivery").HasKey(r => new { r.WebhookId, r.AuditId, r.Attempt });
            row.HasIndex(r => r.NextTryAt);
        });
        model.Entity<IdempotentAnswerRow>(row =>
        {
            row.ToTable("idempotent_answer").HasKey(r => new { r.Caller, r.Key });
            row.Property(r => r.Key).HasMaxLength(200);
            row.HasIndex(r => r.At);
        });
    }
}
