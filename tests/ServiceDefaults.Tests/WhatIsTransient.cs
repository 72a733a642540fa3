using Npgsql;

namespace Assay.ServiceDefaults.Tests;

public sealed class WhatIsTransient
{
    /// <summary>A process that got no processor for five seconds loses its session; a start that ended for it ended for good.</summary>
    [Fact]
    public void Should_include_a_session_that_the_database_ended_because_the_process_was_too_slow() =>
        new InvalidOperationException("Saving failed.", Refusal("25P03")).IsTransient().ShouldBeTrue();

    /// <summary>Seen at a start while its database was being started anew: the process ended, and the settings it pointed at were right.</summary>
    [Fact]
    public void Should_include_an_answer_out_of_step() =>
        new InvalidOperationException("Asking failed.", new NpgsqlException("Received backend message BindComplete while expecting ParseCompleteMessage. Please file a bug.")).IsTransient().ShouldBeTrue();

    /// <summary>Seen as the link to a database came back: messages went to the error queue, for their redelivery could not be written down.</summary>
    [Fact]
    public void Should_include_a_connection_that_was_given_up_while_it_was_handed_out() =>
        new InvalidOperationException("Asking failed.", new ObjectDisposedException("System.Threading.ManualResetEventSlim")).IsTransient().ShouldBeTrue();

    [Fact]
    public void Should_not_include_what_the_program_has_disposed_of() => new ObjectDisposedException("Npgsql.NpgsqlConnection").IsTransient().ShouldBeFalse();

    [Fact]
    public void Should_not_include_what_the_driver_refuses() => new NpgsqlException("No password has been provided").IsTransient().ShouldBeFalse();

    [Fact]
    public void Should_not_include_a_wrong_password() => Refusal(PostgresErrorCodes.InvalidPassword).IsTransient().ShouldBeFalse();

    static PostgresException Refusal(string code) => new("refused", "FATAL", "FATAL", code);
}
