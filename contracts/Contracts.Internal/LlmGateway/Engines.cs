namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>Asks which engines are configured and how they do; answered by <see cref="EngineList"/>.</summary>
public sealed record GetEngines;

/// <summary>The configured engines.</summary>
public sealed record EngineList
{
    public required IReadOnlyList<EngineInfo> Engines { get; init; }

    /// <summary>What operators changed about engines, the latest first; at most 50.</summary>
    public IReadOnlyList<EngineChange> Changes { get; init; } = [];

    /// <summary>Living instances of the gateway.</summary>
    public int Instances { get; init; } = 1;
}

/// <summary>A configured engine, without its secrets. Limits and counts are those of all instances together.</summary>
public sealed record EngineInfo
{
    public required string Engine { get; init; }
    public required string Kind { get; init; }
    public required string Model { get; init; }
    public required bool Simulated { get; init; }

    /// <summary>Calls on the wire at once, at most: an operator's limit, else the setting.</summary>
    public required int MaxConcurrency { get; init; }

    public int? RequestsPerMinute { get; init; }
    public int? TokensPerMinute { get; init; }

    /// <summary><c>ready</c>, <c>paused</c>, <c>breaker open</c> or why it cannot be used.</summary>
    public required string State { get; init; }

    /// <summary>The limits as the settings have them, where an operator has set others; null where these apply.</summary>
    public EngineLimits? ConfiguredLimits { get; init; }

    /// <summary>Who set the limits; null where the settings apply.</summary>
    public string? LimitsSetBy { get; init; }

    public DateTime? LimitsSetAt { get; init; }
    public string? LimitsReason { get; init; }

    /// <summary>How many living instances do not keep the present limits and pause yet; each follows within seconds.</summary>
    public int InstancesBehind { get; init; }

    public string? PausedBy { get; init; }
    public DateTime? PausedAt { get; init; }
    public string? PauseReason { get; init; }

    /// <summary>In how many instances the breaker is open: nothing is sent there. Each instance judges by its own tries.</summary>
    public int BreakersOpen { get; init; }

    /// <summary>When the last open breaker lets a trial call through.</summary>
    public DateTime? BreakerUntil { get; init; }

    public int OnTheWire { get; init; }

    /// <summary>Calls that are planned and not on the wire.</summary>
    public int Waiting { get; init; }

    /// <summary>Calls sent in the last 60 seconds.</summary>
    public int RequestsInLastMinute { get; init; }

    /// <summary>Tokens of those calls: the real ones where they are known, else the bound that the limit counts.</summary>
    public long TokensInLastMinute { get; init; }
}

/// <summary>What an engine bears, over all instances. Null is no limit.</summary>
public sealed record EngineLimits
{
    public required int MaxConcurrency { get; init; }
    public int? RequestsPerMinute { get; init; }
    public int? TokensPerMinute { get; init; }
}

/// <summary>The kinds of <see cref="EngineChange"/>.</summary>
public static class EngineChanges
{
    public const string Paused = "Paused";
    public const string Resumed = "Resumed";
    public const string LimitsSet = "LimitsSet";
}

/// <summary>One thing that an operator changed about an engine.</summary>
public sealed record EngineChange
{
    public required string Engine { get; init; }

    /// <summary>One of <see cref="EngineChanges"/>.</summary>
    public required string Change { get; init; }

    /// <summary>What it was changed to, for a reader; null for a pause.</summary>
    public string? Detail { get; init; }

    public required string Reason { get; init; }
    public required string ChangedBy { get; init; }
    public required DateTime ChangedAt { get; init; }
}

/// <summary>Lets one engine rest: its calls wait until it is resumed or their deadline comes. Answered by <see cref="EngineList"/> or <see cref="EngineNotChanged"/>.</summary>
public sealed record PauseEngine
{
    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Lets a paused engine be asked again. Answered by <see cref="EngineList"/> or <see cref="EngineNotChanged"/>.</summary>
public sealed record ResumeEngine
{
    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    public string? Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>
/// Sets what an engine bears over all instances; kept until it is set again, restarts included. Calls on the wire go on, so that a lowered
/// limit holds once enough of them have ended. Answered by <see cref="EngineList"/> or <see cref="EngineNotChanged"/>.
/// </summary>
public sealed record SetEngineLimits
{
    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    /// <summary>At least 1; null for what the settings say.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>At least 1; null for what the settings say.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>At least 1; null for what the settings say.</summary>
    public int? TokensPerMinute { get; init; }

    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Nothing was changed about an engine.</summary>
public sealed record EngineNotChanged
{
    public required string Engine { get; init; }

    /// <summary>Why, and what to do instead.</summary>
    public required string Detail { get; init; }
}
