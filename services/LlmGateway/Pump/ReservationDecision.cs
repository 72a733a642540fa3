using System.Runtime.InteropServices;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

enum Reservation
{
    Go,

    /// <summary>It would fit once open reservations settle.</summary>
    Wait,

    /// <summary>It cannot fit, whatever settles.</summary>
    Decline,
}

/// <summary>Whether a call's worst case fits, and by how much the attempt's allocation must grow for it.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct ReservationDecision(Reservation Verdict, long Grow)
{
    /// <param name="worstCase">What the call may cost.</param>
    /// <param name="allocated">The attempt's allocation.</param>
    /// <param name="reserved">What the attempt's open calls have reserved of it.</param>
    /// <param name="audit">The audit's own row.</param>
    /// <param name="shared">Tree and day.</param>
    public static ReservationDecision Of(long worstCase, long allocated, long reserved, SpendingView audit, IReadOnlyCollection<SpendingView> shared)
    {
        if (worstCase > audit.FreeAtBest)
            return new(Reservation.Decline, 0);
        if (worstCase > audit.Free)
            return new(Reservation.Wait, 0);

        var grow = Math.Max(0, worstCase - (allocated - reserved));
        if (grow == 0)
            return new(Reservation.Go, 0);
        // What this attempt has allocated itself is a part of what tree and day have reserved: it comes back too, but only to be taken again.
        if (shared.Any(scope => grow > scope.FreeAtBest - (allocated - reserved)))
            return new(Reservation.Decline, 0);
        return shared.Any(scope => grow > scope.Free) ? new(Reservation.Wait, 0) : new(Reservation.Go, grow);
    }
}
