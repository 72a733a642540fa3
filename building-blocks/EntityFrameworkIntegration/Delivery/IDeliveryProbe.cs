namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>Lets the crash tests stop a process between two steps whose order carries a promise.</summary>
internal interface IDeliveryProbe
{
    /// <summary>Rows are committed, nothing is sent.</summary>
    Task CommittedAsync();

    /// <summary>Rows are confirmed by the broker, none is deleted.</summary>
    Task SentAsync();
}
