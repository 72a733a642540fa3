using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;

namespace Assay.LlmGateway.Pump;

/// <summary>Says whether calls may be owned as they are asked, so that nobody has to claim them.</summary>
interface ICallTaker
{
    /// <summary>Who owns these calls of one batch from the start; null if they are to be claimed.</summary>
    Guid? TakerOf(EngineDefinition engine, int calls);
}

/// <summary>
/// An instance that is alone takes what it is asked at once. Where several share an engine they claim a little at a time instead, so that none
/// holds what another could send; and what an engine that stands still would only hoard stays claimable.
/// </summary>
sealed class CallTaker(EngineLanes lanes, GatewayOwner owner, RememberedCalls remembered) : ICallTaker
{
    public Guid? TakerOf(EngineDefinition engine, int calls) =>
        owner is { IsRegistered: true, Instances: 1 } && lanes.Find(engine.Name) is { IsHeldUp: false } && remembered.HasRoom(engine.Name, calls) ? owner.Current : null;
}
