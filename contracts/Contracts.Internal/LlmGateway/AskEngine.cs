namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>What a call is for; part of its key.</summary>
public static class Purposes
{
    public const string Plan = "plan";
    public const string Answer = "answer";
    public const string Insight = "insight";
    public const string Judge = "judge";
}

/// <summary>A batch of questions for one engine. A known batch id is a no-op; a finished batch publishes its stored result again. Answered by <see cref="EngineAnswered"/>.</summary>
public sealed record AskEngine
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid BatchId { get; init; }

    /// <summary>One of <see cref="Purposes"/>.</summary>
    public required string Purpose { get; init; }

    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    /// <summary>After this no call of the batch is sent.</summary>
    public required DateTime DeadlineAt { get; init; }

    public required IReadOnlyList<Question> Questions { get; init; }

    /// <summary>Whether the answer must be a JSON object.</summary>
    public bool Json { get; init; }

    /// <summary>A lower output limit than the engine's own, where the purpose allows one.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Permits one further paid try of each key in doubt, in this attempt.</summary>
    public bool AskInDoubtAgain { get; init; }
}

/// <summary>One question of a batch.</summary>
public sealed record Question
{
    /// <summary>The asker's name for the question, echoed in the answer; for panel queries the query id.</summary>
    public required string QuestionId { get; init; }

    /// <summary>Instructions that precede the text; null for buyers' queries, which are asked as they are.</summary>
    public string? System { get; init; }

    public required string Text { get; init; }

    /// <summary>Repetition, from 1.</summary>
    public int Run { get; init; } = 1;

    /// <summary>Language and market, as a BCP 47 tag.</summary>
    public string Locale { get; init; } = "en-US";
}

/// <summary>A batch is decided: every question has an outcome.</summary>
public sealed record EngineAnswered
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid BatchId { get; init; }
    public required string Purpose { get; init; }
    public required string Engine { get; init; }
    public required string EngineKind { get; init; }
    public required bool Simulated { get; init; }
    public required IReadOnlyList<EngineAnswer> Answers { get; init; }
}

/// <summary>The decided state of a call.</summary>
public static class CallStates
{
    public const string Planned = "Planned";
    public const string Sending = "Sending";
    public const string Answered = "Answered";
    public const string Declined = "Declined";
    public const string Refused = "Refused";
    public const string Empty = "Empty";
    public const string InDoubt = "InDoubt";
}

/// <summary>Why a call has no valid answer.</summary>
public static class CallReasons
{
    public const string AuditClosed = "AuditClosed";
    public const string DeadlinePassed = "DeadlinePassed";
    public const string CeilingReached = "CeilingReached";
    public const string NotRecorded = "NotRecorded";
    public const string TextLost = "TextLost";
    public const string TriesExhausted = "TriesExhausted";
    public const string ProviderRejected = "ProviderRejected";
    public const string UnreadableAnswer = "UnreadableAnswer";
    public const string WrongLanguage = "WrongLanguage";
    public const string EmptyAnswer = "EmptyAnswer";
    public const string CutByLength = "CutByLength";
    public const string Timeout = "Timeout";
    public const string ConnectionLost = "ConnectionLost";
    public const string ServerError = "ServerError";
    public const string OwnerLost = "OwnerLost";
    public const string EngineUnknown = "EngineUnknown";
}

/// <summary>The outcome of one question.</summary>
public sealed record EngineAnswer
{
    public required string CallKey { get; init; }
    public required string QuestionId { get; init; }
    public required string Query { get; init; }
    public required int Run { get; init; }

    /// <summary>Answered, Declined, Refused, Empty or InDoubt; see <see cref="CallStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>One of <see cref="CallReasons"/>, or the provider's own word; also set on a valid answer that was cut (<c>CutByLength</c>).</summary>
    public string? Reason { get; init; }

    /// <summary>The answer. Null for a reused call whose text the ledger no longer keeps: the reader takes its own text with <see cref="TextHash"/>.</summary>
    public string? Text { get; init; }

    /// <summary>SHA-256 of the text in UTF-8, lower-case hex; null without a text.</summary>
    public string? TextHash { get; init; }

    /// <summary>Sources the provider returned beside the text.</summary>
    public IReadOnlyList<AnswerSource> Sources { get; init; } = [];

    /// <summary>Whether the engine searched the web for this answer; null where unknown.</summary>
    public bool? SearchUsed { get; init; }

    public required string RequestedModel { get; init; }
    public string? ServedModel { get; init; }

    /// <summary>Where the answer comes from, for a reader: <c>api</c>, <c>recorded web answer</c>, <c>simulated</c>.</summary>
    public required string Surface { get; init; }

    public int? ResponseTimeMs { get; init; }
    public int? InputTokens { get; init; }
    public int? OutputTokens { get; init; }

    /// <summary>What was spent on this call over all its tries; a doubtful try counts its worst case.</summary>
    public required long CostMicroUsd { get; init; }

    /// <summary>Whether the provider served part of the prompt from its cache.</summary>
    public bool CacheHit { get; init; }

    /// <summary>Paid tries of this key so far.</summary>
    public required int PaidTries { get; init; }

    /// <summary>Whether the answer came from the ledger, free in this attempt.</summary>
    public bool Reused { get; init; }

    public DateTime? AnsweredAt { get; init; }
}

/// <summary>A source that an engine returned with its answer.</summary>
public sealed record AnswerSource
{
    public required string Url { get; init; }
    public string? Title { get; init; }

    /// <summary>Whether the answer cites it, or it was only retrieved; null where the provider does not tell.</summary>
    public bool? Cited { get; init; }
}

/// <summary>A sign of life while calls run or wait for a limit, breaker, halt or money, and live progress of a batch; at most one a second per batch.</summary>
public sealed record BatchAlive
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>Null while the budget itself waits.</summary>
    public Guid? BatchId { get; init; }

    public string? Engine { get; init; }

    /// <summary>What is waited for, for a reader; null when calls were decided since the last sign.</summary>
    public string? WaitingFor { get; init; }

    /// <summary>When the wait is expected to end.</summary>
    public DateTime? Until { get; init; }

    public required int DecidedCalls { get; init; }
    public required int TotalCalls { get; init; }

    /// <summary>Spent by the audit so far, over all attempts.</summary>
    public required long SpentMicroUsd { get; init; }

    public required string Worker { get; init; }
    public required DateTime At { get; init; }
}

/// <summary>The Analyzer holds these answers durably: the ledger may now keep the hash instead of the text.</summary>
public sealed record AnswersStored
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid BatchId { get; init; }
}
