namespace EdgeSplit.Testing.Conformance;

/// <summary>Asserts on the library's exceptions.</summary>
public static class ErrorAssert
{
    /// <summary>Expects an <see cref="EdgeSplitException"/> with a code, and returns it.</summary>
    public static async Task<EdgeSplitException> FailsWithAsync(EdgeSplitError error, Func<Task> action)
    {
        try
        {
            await action().WaitAsync(TimeSpan.FromSeconds(30));
        }
        catch (EdgeSplitException exception)
        {
            Assert.That(exception.Error, Is.EqualTo(error), exception.Message);
            return exception;
        }
        throw new AssertionException($"Expected a failure with {error}; there was none.");
    }
}
